// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.Step;
import io.pointsman.catalogue.Objects;
import io.pointsman.kernel.Iptables;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What cannot be served is named in status and metrics, and all else is served; what cannot be done
 * is tried again, but not at every change.
 */
@OnSharedApiServer
class AgentRefusalTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final int CHANGES = 30;
  private static final String NAME = "refused";
  private static final String VIP = "10.96.78.1";
  private NodeFixture node;

  @BeforeEach
  void start() {
    node = new NodeFixture(ApiServer.shared(), "node-refusal");
    var web = Objects.service(NAME, VIP);
    node.client.services().inNamespace("default").resource(web).create();
  }

  @AfterEach
  void end() {
    node.client.services().inNamespace("default").withName(NAME).delete();
    node.close();
  }

  @Test
  void aPortOfAnotherProtocolIsNamed() {
    node.startAgent(ApiServer.shared().client());
    node.ask(Step.CLEAN, KubeProxyState.DETACHED);
    node.awaitDone(Step.CLEAN);
    ServicePort sctp =
        new ServicePortBuilder().withName("s").withPort(99).withProtocol("SCTP").build();
    change(ports -> ports.add(sctp));
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(node.answer().refused)
                    .singleElement()
                    .asString()
                    .contains("default/" + NAME, "SCTP"));
    assertThat(node.meters.get("pointsman.refused").gauge().value()).isEqualTo(1);
    var named =
        node.meters.get("pointsman.refused.object").tag("object", "Service default/" + NAME);
    assertThat(named.tag("reason", "ProtocolNotServed").gauge().value()).isEqualTo(1);
    assertThat(PinnedMaps.read(pins())).containsKey(VIP + ":80");
    assertThat(node.answer().proven).isTrue();

    change(ports -> ports.removeIf(port -> "s".equals(port.getName())));
    await().atMost(PATIENCE).until(() -> node.answer().refused.isEmpty());
    assertThat(node.meters.find("pointsman.refused.object").gauges()).isEmpty();
  }

  /** Somebody flushes the chain that the next change deletes a rule of. */
  @Test
  void aChangeThatHadToBeWrittenInFullIsTold() {
    node.startAgent(ApiServer.shared().client());
    node.change(
        spec -> {
          spec.linuxDataplane = LinuxDataplane.IPTABLES;
          spec.step = Step.CLEAN;
          spec.kubeProxy = KubeProxyState.DETACHED;
          spec.verification.intervalSeconds = 300; // no read-back comes in between
        });
    node.awaitDone(Step.CLEAN);
    tables().restore(out -> out.append("*filter\n-F KUBE-SERVICES\nCOMMIT\n"));
    change(ports -> ports.getFirst().setPort(81));
    await()
        .atMost(PATIENCE)
        .untilAsserted(
            () ->
                assertThat(
                        node.client.events().v1().events().inNamespace("default").list().getItems())
                    .filteredOn(event -> "node-refusal".equals(event.getRegarding().getName()))
                    .filteredOn(event -> "WrittenInFull".equals(event.getReason()))
                    .singleElement()
                    .satisfies(
                        event ->
                            assertThat(event.getNote())
                                .contains("default/" + NAME, "-D KUBE-SERVICES ")));
    assertThat(node.meters.get("pointsman.fallbacks").counter().count()).isEqualTo(1);
    assertThat(node.meters.get("pointsman.failures").counter().count()).isZero();
    assertThat(node.served(LinuxDataplane.IPTABLES)).containsKey(VIP + ":81");
  }

  /** An agent looks first for what one was at that was killed. */
  @Test
  void whatIsDoneFirstIsTriedAgainInAWhile(@TempDir Path folder) throws IOException {
    Path obstacle = Files.createFile(folder.resolve("obstacle"));
    Path refusals = folder.resolve("refusals");
    node.before =
        List.of(
            "sh",
            "-c",
            "case \"$*\" in 'ipset list '*) if [ -e %s ]; then echo refused >>%s; exit 1; fi;; esac; exec \"$@\""
                .formatted(obstacle, refusals),
            "sh");
    node.startAgent(ApiServer.shared().client());
    for (int number = 1; number <= CHANGES; number++) {
      int port = 1000 + number;
      change(
          ports -> ports.add(new ServicePortBuilder().withName("p" + port).withPort(port).build()));
      int expected = number + 1;
      await().atMost(PATIENCE).until(() -> servicePorts() >= expected);
    }
    assertThat(Files.readAllLines(refusals)).hasSizeBetween(1, CHANGES / 2);
    Files.delete(obstacle);
    node.ask(Step.CLEAN, KubeProxyState.DETACHED);
    node.awaitDone(Step.CLEAN);
    assertThat(PinnedMaps.read(pins())).containsKey(VIP + ":" + (1000 + CHANGES));
  }

  private double servicePorts() {
    return node.meters.get("pointsman.service.ports").gauge().value();
  }

  private Iptables tables() {
    Iptables nft = new Iptables(node.commands(), Iptables.Family.IPV4, Iptables.Variant.NFT);
    List<String> lines = new ArrayList<>();
    nft.save(lines::add);
    return lines.stream().anyMatch(line -> line.startsWith(":KUBE-SERVICES"))
        ? nft
        : new Iptables(node.commands(), Iptables.Family.IPV4, Iptables.Variant.LEGACY);
  }

  private void change(Consumer<List<ServicePort>> change) {
    node.client
        .services()
        .inNamespace("default")
        .withName(NAME)
        .edit(
            one -> {
              change.accept(one.getSpec().getPorts());
              return one;
            });
  }

  private Path pins() {
    return node.sandbox.bpffs().resolve("pointsman");
  }
}
