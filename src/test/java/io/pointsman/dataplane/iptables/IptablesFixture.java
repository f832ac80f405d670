// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.RandomServices.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;

/** A network namespace for each test, with real tables. */
class IptablesFixture {
  static final DesiredState ALL = desired(Samples.ALL);

  /** What a CNI, Docker, ufw, the kubelet and a person have in the tables. */
  static final String FOREIGN =
      """
      *mangle
      :KUBE-KUBELET-CANARY - [0:0]
      :MINE - [0:0]
      -A PREROUTING -p tcp -m tcp --dport 9 -j MINE
      -A MINE -j MARK --set-xmark 0x7/0xff
      COMMIT
      *nat
      :CNI-0123456789abcdef - [0:0]
      :CNI-HOSTPORT-DNAT - [0:0]
      :DOCKER - [0:0]
      :KUBE-KUBELET-CANARY - [0:0]
      :MINE - [0:0]
      -A PREROUTING -m comment --comment "CNI portfwd requiring masquerade" -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
      -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
      -A OUTPUT -p tcp -m tcp --dport 9 -m comment --comment "not -j KUBE-SERVICES" -j MINE
      -A POSTROUTING -m comment --comment "name: \\"x\\"" -j CNI-0123456789abcdef
      -A CNI-0123456789abcdef -j MASQUERADE
      -A DOCKER -j RETURN
      -A MINE -j RETURN
      COMMIT
      *filter
      :DOCKER-USER - [0:0]
      :KUBE-FIREWALL - [0:0]
      :KUBE-KUBELET-CANARY - [0:0]
      :MINE - [0:0]
      :ufw-before-input - [0:0]
      -A INPUT -j KUBE-FIREWALL
      -A INPUT -j ufw-before-input
      -A FORWARD -j DOCKER-USER
      -A OUTPUT -j KUBE-FIREWALL
      -A DOCKER-USER -j RETURN
      -A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP
      -A KUBE-FIREWALL -m comment --comment "kubelet's own" -m mark --mark 0x8000/0x8000 -j DROP
      -A MINE -j DROP
      -A ufw-before-input -p tcp -m tcp --dport 22 -j ACCEPT
      COMMIT
      """;

  final KernelSandbox sandbox = new KernelSandbox();

  @AfterEach
  void leaveNothing() {
    sandbox.close();
  }

  static DataplaneSettings settings(Scheduler scheduler) {
    return new DataplaneSettings(scheduler, 30_000, 32_767);
  }

  static IptablesDataplane open(Variant variant) {
    return new IptablesDataplane(
        IptablesOptions.defaults().in(variant), settings(Scheduler.RANDOM));
  }

  static Iptables tables(Family family, Variant variant) {
    return new Iptables(new CommandRunner(), family, variant);
  }

  /** Changes a table of IPv4 as somebody else would. */
  static void change(Variant variant, String table, String lines) {
    tables(Family.IPV4, variant)
        .restore(out -> out.append("*" + table + "\n" + lines + "\nCOMMIT\n"));
  }

  /** What the kernel has is what is wanted, and nothing else is wrong with it. */
  static void assertProven(IptablesDataplane dataplane, DesiredState desired) {
    KernelState kernel = dataplane.read();
    assertThat(kernel.defects()).isEmpty();
    assertThat(kernel.digest()).isEqualTo(desired.digest());
  }

  /** Everything in the tables of both families; without times and counters. */
  static List<String> saved(Variant variant) {
    List<String> lines = new ArrayList<>();
    for (Family family : Family.values()) {
      tables(family, variant).save(lines::add);
    }
    lines.removeIf(line -> line.startsWith("#"));
    lines.replaceAll(line -> line.startsWith(":") ? line.replaceAll(" \\[.*", "") : line);
    return lines;
  }

  static void addForeign(Variant variant) {
    for (Family family : Family.values()) {
      // The kubelet guards loopback of IPv4 only.
      String lines = family == Family.IPV4 ? FOREIGN : FOREIGN.replaceAll(".*127[.]0[.]0.*\n", "");
      tables(family, variant).restore(out -> out.append(lines));
    }
  }

  /** Runs something inside the namespace. */
  void inside(KernelSandbox.Action action) {
    sandbox.runInNamespace(action::run);
  }
}
