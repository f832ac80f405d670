// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.dataplane.iptables.KubeProxyNode;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.places.KubeProxyPlaces;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.BoundProcess;
import io.pointsman.testing.Project;
import io.pointsman.verify.kubeproxy.Difference.Kind;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Reads a real kube-proxy's rules in the kernel, whole and broken behind its back. */
@Execution(ExecutionMode.CONCURRENT)
class RunningKubeProxyTest {
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private static ApiServer server;
  private static KubernetesClient client;
  private KubeProxyNode node;

  @BeforeAll
  static void cluster() {
    server = ApiServer.startEmpty();
    client = server.client();
    String yaml = Project.read("src/test/resources/verify/cluster.yaml");
    List<HasMetadata> objects =
        client.load(new ByteArrayInputStream(yaml.getBytes(StandardCharsets.UTF_8))).items();
    for (HasMetadata object : objects) {
      client.resource(object).create();
      if (object instanceof Service service && service.getStatus() != null) {
        client.resource(service).updateStatus();
      }
    }
    KubeProxyNode.register(
        client,
        Map.of("topology.kubernetes.io/zone", "zone-a"),
        KubeProxyNode.ADDRESS_V4,
        KubeProxyNode.ADDRESS_V6);
  }

  @AfterAll
  static void end() {
    client.close();
    server.close();
  }

  @BeforeEach
  void start() throws IOException {
    node = new KubeProxyNode(server);
  }

  @AfterEach
  void stop() throws IOException {
    node.close();
  }

  @ParameterizedTest
  @EnumSource(
      value = KubeProxyMode.class,
      names = {"IPTABLES", "NFTABLES"})
  void allItServesIsFoundServed(KubeProxyMode mode) {
    KubeProxyVerdict verdict = served(mode);
    assertThat(verdict.mode()).contains(mode);
    assertThat(verdict.differences()).isEmpty();
    assertThat(verdict.services()).hasSizeGreaterThan(10);
    assertThat(notCompared(verdict, "default/sticky")).containsExactly("sessionAffinity");
    assertThat(notCompared(verdict, "default/local:http"))
        .containsExactly("loadBalancerSourceRanges");
    assertThat(notCompared(verdict, "default/near:http")).containsExactly("topology hints");
    assertThat(notCompared(verdict, "default/web:sctp")).isEmpty();
  }

  @Test
  void whatIsBrokenInIptablesIsNamed() {
    served(KubeProxyMode.IPTABLES);
    for (Tampering each : Tampering.inIptables()) {
      List<String> before = lines("iptables-nft-save");
      tamper(each);
      restore("iptables-nft-restore", before);
      assertThat(verify().differences()).as("after %s was put back", each.name()).isEmpty();
    }
  }

  @Test
  void whatIsBrokenInNftablesIsNamed() {
    served(KubeProxyMode.NFTABLES);
    for (Tampering each : Tampering.inNftables()) {
      List<String> before = lines("nft", "list", "table", "ip", "kube-proxy");
      tamper(each);
      commands().lines("nft", "delete", "table", "ip", "kube-proxy");
      restore("nft", before);
      assertThat(verify().differences()).as("after %s was put back", each.name()).isEmpty();
    }
  }

  @Test
  void aNodeWithoutKubeProxyIsToldSo() {
    KubeProxyVerdict verdict = verify();
    assertThat(verdict.mode()).isEmpty();
    assertThat(verdict.others())
        .extracting(Difference::message)
        .containsExactly("The kernel holds no rules of a kube-proxy.");
    assertThat(verdict.services()).noneMatch(ServiceVerdict::served);
  }

  private void tamper(Tampering each) {
    each.apply(commands());
    assertThat(verify().differences())
        .as(each.name())
        .anyMatch(
            found ->
                found.kind() == each.kind() && found.text().matches("(?s).*" + each.says() + ".*"));
    Set<String> services = Set.copyOf(each.services());
    assertThat(verify().services().stream().filter(it -> !it.served()).map(it -> it.id().text()))
        .as(each.name())
        .containsOnlyElementsOf(services);
  }

  /** Starts kube-proxy, and ends it as soon as it serves, so that it mends nothing. */
  private KubeProxyVerdict served(KubeProxyMode mode) {
    try (BoundProcess kubeProxy = node.startKubeProxy(mode.text())) {
      Awaitility.await()
          .atMost(PATIENCE)
          .pollInterval(Duration.ofMillis(500))
          .untilAsserted(
              () -> {
                assertThat(kubeProxy.alive()).as(kubeProxy::output).isTrue();
                assertThat(verify().differences()).isEmpty();
              });
    }
    return verify();
  }

  private KubeProxyVerdict verify() {
    List<HasMetadata> objects = new ArrayList<>();
    objects.addAll(client.services().inAnyNamespace().list().getItems());
    objects.addAll(client.discovery().v1().endpointSlices().inAnyNamespace().list().getItems());
    List<ExpectedPort> expected = ClusterObjects.expected(KubeProxyNode.NAME, objects);
    return new KubeProxyVerifier(expected, ClusterObjects.ALL)
        .verify(KubeProxyPlaces.of(commands()).read());
  }

  private static List<String> notCompared(KubeProxyVerdict verdict, String service) {
    Optional<ServiceVerdict> found =
        verdict.services().stream().filter(it -> it.id().text().equals(service)).findFirst();
    assertThat(found).as(service).isPresent();
    return Stream.of(found.orElseThrow()).flatMap(it -> it.notCompared().stream()).toList();
  }

  private CommandRunner commands() {
    return new CommandRunner(List.of("ip", "netns", "exec", node.sandbox.namespace()));
  }

  private List<String> lines(String... command) {
    return commands().lines(command);
  }

  private void restore(String program, List<String> lines) {
    List<String> command = program.equals("nft") ? List.of("nft", "-f", "-") : List.of(program);
    commands().run(command, String.join("\n", lines) + "\n", line -> {});
  }

  /** Unused kinds would be promises that nobody keeps. */
  @Test
  void everyKindOfDifferenceIsProvoked() {
    for (List<Tampering> mode : List.of(Tampering.inIptables(), Tampering.inNftables())) {
      assertThat(mode.stream().map(Tampering::kind)).contains(Kind.values());
    }
  }
}
