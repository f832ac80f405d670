// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.catalogue.Target;
import io.pointsman.catalogue.TrafficPolicy;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class KubeProxyCheckTest {
  private static final Address VIP = Address.parse("10.96.0.50");
  private static final Address POD = Address.parse("10.244.0.5");

  private final List<KubeProxyFrontend> kernel = new ArrayList<>();
  private final List<String> foreign = new ArrayList<>();
  private final List<String> defects = new ArrayList<>();
  private final KubeProxySource reader =
      () ->
          List.of(
              new KubeProxyState(KubeProxyMode.IPTABLES, "iptables-nft", kernel, defects, foreign));
  private long now;
  private final KubeProxyCheck check = new KubeProxyCheck(Duration.ofNanos(10), () -> now);

  @Test
  void whatFollowsInTimeIsNoFinding() {
    assertThat(check.look(reader, expected()))
        .isEqualTo("default/web: 10.96.0.50:80/TCP is missing.");
    assertThat(check.lasts()).isFalse();
    now = 9;
    serve();
    assertThat(check.look(reader, expected())).isNull();
    assertThat(KubeProxyFindings.of(Objects.requireNonNull(check.verdict()))).isEmpty();
  }

  @Test
  void whatDoesNotFollowBlocks() {
    defects.add("IPv4: nat PREROUTING lacks the jump to KUBE-SERVICES.");
    foreign.add("IPv4: nat KUBE-SERVICES has a foreign rule, '-s 10.1.2.3/32 -j RETURN'.");
    assertThat(check.look(reader, expected())).isNotNull();
    now = 10;
    assertThat(check.look(reader, expected())).isNotNull();
    assertThat(check.lasts()).isTrue();
    assertThat(KubeProxyFindings.of(Objects.requireNonNull(check.verdict())))
        .extracting(Finding::reason)
        .containsExactly("KubeProxyBehind", "KubeProxyBroken", "KubeProxyForeignRules");
    serve();
    defects.clear();
    assertThat(check.look(reader, expected())).as("a foreign rule for some").isNull();
  }

  @Test
  void looksLessOftenWhereLookingTakesLong() {
    assertThat(check.look(this::readSlowly, expected())).isNotNull();
    assertThat(check.pauseNanos()).isEqualTo(200);
  }

  /** On such a node a kube-proxy took two minutes for a handful of Services. */
  @Test
  void waitsLongerWhereLookingTakesLong() {
    assertThat(check.look(this::readSlowly, expected())).isNotNull();
    now = 700;
    assertThat(check.look(this::readSlowly, expected())).isNotNull();
    assertThat(check.lasts()).isFalse();
    now = 750;
    assertThat(check.look(this::readSlowly, expected())).isNotNull();
    assertThat(check.lasts()).isTrue();
  }

  private List<KubeProxyState> readSlowly() {
    now += 50;
    return reader.read();
  }

  private void serve() {
    List<BackendAddress> pods = List.of(new BackendAddress(POD, 8080));
    kernel.add(new KubeProxyFrontend(VIP, 80, 6, "default/web", false, pods, pods, List.of()));
  }

  private static List<ExpectedPort> expected() {
    Frontend frontend = new Frontend(VIP, 80, Protocol.TCP, FrontendKind.CLUSTER_IP);
    Set<Target> pods = Set.of(new Target(POD, 8080));
    return List.of(
        new ExpectedPort(
            new ServicePortId("default", "web", "", Protocol.TCP, IpFamily.IPV4),
            TrafficPolicy.DEFAULT,
            List.of(new ExpectedPort.Place(frontend, List.of(pods), Set.of(), false)),
            false));
  }

  /**
   * A new kube-proxy in a cluster of 10,000 Services took three minutes and more to write its rules
   * and those of a Service that had changed meanwhile.
   */
  @ParameterizedTest
  @CsvSource({"0, 60", "1000, 90", "10000, 360", "30000, 960"})
  void kubeProxyGetsMoreTimeWhereItHasMoreToWrite(int servicePorts, int seconds) {
    assertThat(KubeProxyCheck.window(servicePorts)).hasSeconds(seconds);
  }
}
