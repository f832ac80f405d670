// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.agent.KubeProxyPatience;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Severity;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.Objects;
import io.pointsman.catalogue.ServiceReader;
import io.pointsman.catalogue.SliceReader;
import io.pointsman.cli.LookPod.LookException;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A cluster whose endpoints change while a plan is made. */
class KubeProxyLookTest {
  private static final Duration WINDOW = Duration.ofSeconds(60);

  private final NodeDataplaneStatus answer = new NodeDataplaneStatus();

  /** The last part of the address of the only endpoint that there is. */
  private int endpoint = 1;

  private int looks;
  private long now;

  private static PreflightFinding finding(String reason, Severity severity) {
    PreflightFinding finding = new PreflightFinding();
    finding.reason = reason;
    finding.severity = severity;
    finding.message = "As the Services were when the plan was asked for.";
    return finding;
  }

  private Catalogue services() {
    Names names = new Names();
    Catalogue catalogue = Catalogue.forNode("node-1");
    catalogue.upsertService(new ServiceReader(names).read(Objects.service("web", "10.96.0.50")));
    catalogue.upsertSlice(
        java.util.Objects.requireNonNull(
            new SliceReader(names)
                .read(Objects.slice("web", "web", Objects.ready("10.244.0." + endpoint)))));
    return catalogue;
  }

  private List<KubeProxyState> rules(int served) {
    looks++;
    List<BackendAddress> pods =
        List.of(new BackendAddress(Address.parse("10.244.0." + served), 8080));
    return List.of(
        new KubeProxyState(
            KubeProxyMode.IPTABLES,
            "iptables-nft",
            List.of(
                new KubeProxyFrontend(
                    Address.parse("10.96.0.50"),
                    80,
                    6,
                    "default/web:http",
                    false,
                    pods,
                    pods,
                    List.of())),
            List.of(),
            List.of()));
  }

  private List<String> settled(NodeLook.Kernel kernel) throws LookException, InterruptedException {
    answer.preflight =
        List.of(
            finding("ForwardingOff", Severity.WARNING),
            finding("KubeProxyBehind", Severity.BLOCKING));
    new KubeProxyLook(
            this::services, new KubeProxyPatience(WINDOW, () -> now), nanos -> now += nanos)
        .settle(answer, kernel);
    return answer.preflight.stream().map(finding -> finding.reason).toList();
  }

  @Test
  void whatKubeProxyServesByNowDoesNotStopTheNode() throws Exception {
    assertThat(settled(() -> rules(endpoint))).containsExactly("ForwardingOff");
    assertThat(looks).isOne();
  }

  /** Each look is made at Services that have changed since they were listed for it. */
  @Test
  void changesBetweenListingAndLookingDoNotStopTheNode() throws Exception {
    assertThat(settled(() -> rules(++endpoint))).containsExactly("ForwardingOff");
    assertThat(looks).isEqualTo(2);
  }

  @Test
  void whatNoLookOfTheWindowFindsServedStopsTheNode() throws Exception {
    assertThat(settled(() -> rules(200))).containsExactly("ForwardingOff", "KubeProxyBehind");
    assertThat(now).isGreaterThanOrEqualTo(WINDOW.toNanos());
    assertThat(answer.preflight.getLast().severity).isEqualTo(Severity.BLOCKING);
    assertThat(answer.preflight.getLast().message).contains("lacks the endpoint 10.244.0.1:8080");
  }

  @Test
  void kubeProxyIsNotLookedAtAgainWithoutNeed() throws Exception {
    answer.preflight = List.of(finding("KubeProxyForeignRules", Severity.WARNING));
    new KubeProxyLook(this::services, new KubeProxyPatience(WINDOW, () -> now), nanos -> {})
        .settle(answer, () -> rules(200));
    assertThat(looks).isZero();
    assertThat(answer.preflight).hasSize(1);
  }
}
