// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.kernel.Commands;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.verify.Verdict;
import io.pointsman.verify.Verifier;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** The dataplane in a network namespace that stands for a node. */
class IpvsFixture {
  final KernelSandbox node = new KernelSandbox();

  IpvsOptions options = IpvsOptions.defaults();

  IpvsDataplane dataplane = open(Scheduler.RR);

  @BeforeEach
  void makeNode() {
    node.ipBatch(
        """
        link add uplink type veth peer name outside
        link set uplink addrgenmode none
        link set uplink up
        link set outside addrgenmode none
        link set outside up
        """);
    Awaitility.await("a link's carrier is told late")
        .until(() -> node.ip("link", "show", "uplink").contains("state UP"));
    node.ip("addr", "add", Services.NODE_V4 + "/24", "dev", "uplink");
    node.ip("addr", "add", Services.NODE_V6 + "/64", "dev", "uplink", "nodad");
    // Without one the kernel cannot ask for a neighbour to which it forwards.
    node.ip("addr", "add", "fe80::7/64", "dev", "uplink", "nodad");
  }

  @AfterEach
  void close() {
    dataplane.close();
    node.close();
  }

  final IpvsDataplane open(Scheduler scheduler) {
    return new IpvsDataplane(options, new DataplaneSettings(scheduler, 30_000, 32_767));
  }

  /** Closes the dataplane and opens it as the next agent would. */
  final void restart(Scheduler scheduler) {
    dataplane.close();
    dataplane = open(scheduler);
  }

  final <T> T here(Callable<T> task) {
    return node.inNamespace(task);
  }

  final void run(Runnable task) {
    node.inNamespace(
        () -> {
          task.run();
          return true;
        });
  }

  final void assertProven(DesiredState desired) {
    KernelState kernel = here(() -> dataplane.read());
    Verdict verdict = Verifier.verify(desired, kernel);
    assertThat(verdict).isEqualTo(Verdict.PROVEN);
    assertThat(kernel.digest()).isEqualTo(desired.digest());
  }

  /** All that the dataplane could change, a line each, without the counters of packets. */
  final List<String> everything() {
    return Stream.of(
            rules("iptables-legacy-save"),
            rules("ip6tables-legacy-save"),
            shell("ipvsadm", "-Sn"),
            shell("ipvsadm", "-L", "--timeout"),
            shell("ipset", "save"),
            shell("ip", "-d", "link"),
            shell("ip", "addr"),
            settings())
        .flatMap(String::lines)
        .toList();
  }

  private String rules(String save) {
    return shell(save)
        .lines()
        .filter(line -> line.startsWith("-A ") || line.matches(":\\S+ - .*"))
        .map(line -> line.replaceAll("\\[\\d+:\\d+]", ""))
        .collect(Collectors.joining("\n"));
  }

  private String settings() {
    return Stream.of("vs/conntrack", "vs/expire_nodest_conn", "vs/expire_quiescent_template")
        .map(name -> name + " = " + setting(name))
        .collect(Collectors.joining("\n"));
  }

  final String setting(String name) {
    return shell("cat", "/proc/sys/net/ipv4/" + name).strip();
  }

  /** The output of a command in the node. */
  final String shell(String... command) {
    return shell(node, command);
  }

  static String shell(KernelSandbox place, String... command) {
    List<String> whole = new ArrayList<>(List.of("ip", "netns", "exec", place.namespace()));
    whole.addAll(List.of(command));
    return Commands.run(whole.toArray(String[]::new));
  }
}
