// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.RandomServices.desired;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.KernelState.Setting;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.Iptables.Variant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The phases of the dataplane on real tables. */
class IptablesDataplaneTest extends IptablesFixture {
  @ParameterizedTest
  @EnumSource(Variant.class)
  void comesAndGoesAmongTheRulesOfOthers(Variant variant) {
    inside(
        () -> {
          addForeign(variant);
          List<String> before = saved(variant);
          try (IptablesDataplane dataplane = open(variant)) {
            assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
            dataplane.prepare(ALL);
            assertThat(dataplane.phase()).isEqualTo(Phase.PREPARED);
            assertProven(dataplane, ALL);
            assertThat(builtIn(variant)).isEqualTo(builtIn(before));
            dataplane.activate();
            assertProven(dataplane, ALL);
            assertThat(saved(variant)).containsAll(before);
            assertThat(dataplane.drain().flows()).isZero();
            assertThat(dataplane.phase()).isEqualTo(Phase.DRAINING);
            dataplane.remove();
            assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
          }
          assertThat(saved(variant)).containsExactlyInAnyOrderElementsOf(before);
        });
  }

  /** route_localnet opens loopback to others, whatever is left of the kubelet's chain. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-F INPUT",
        "-F OUTPUT",
        "-F KUBE-FIREWALL",
        "-D INPUT -j KUBE-FIREWALL",
        "-R KUBE-FIREWALL 1 -d 127.0.0.0/8 -j DROP"
      })
  void loopbackStaysGuarded(String damage) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            List<String> before = saved(Variant.NFT);
            change(Variant.NFT, "filter", damage);
            assertThat(dataplane.read().defects()).anyMatch(it -> it.contains("loopback"));
            dataplane.repair(ALL);
            assertProven(dataplane, ALL);
            assertThat(saved(Variant.NFT)).containsAll(before);
          }
        });
  }

  @Test
  void activeJumpsStandAsKubeProxyPutsThem() {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(ALL);
            dataplane.activate();
          }
          assertThat(builtIn(Variant.NFT).subList(0, 15))
              .containsExactly(
                  """
                  -A INPUT -j KUBE-FIREWALL
                  -A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
                  -A INPUT -m comment --comment "kubernetes health check service ports" -j KUBE-NODEPORTS
                  -A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
                  -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
                  -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
                  -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
                  -A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
                  -A OUTPUT -j KUBE-FIREWALL
                  -A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
                  -A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
                  -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
                  -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
                  -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
                  -A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
                  """
                      .split("\n"));
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void drainingKeepsWhatEstablishedFlowsNeed(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(variant)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            dataplane.drain();
            assertThat(builtIn(variant).stream().filter(line -> !line.contains("KUBE-FIREWALL")))
                .allMatch(
                    line -> line.contains("KUBE-FORWARD") || line.contains("KUBE-POSTROUTING"))
                .hasSize(4);
          }
          try (IptablesDataplane next = open(variant)) {
            assertThat(next.phase()).isEqualTo(Phase.DRAINING);
            next.prepare(ALL);
            assertThat(next.phase()).isEqualTo(Phase.DRAINING);
            next.activate();
            assertProven(next, ALL);
            assertThat(next.phase()).isEqualTo(Phase.ACTIVE);
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void aNextAgentAdoptsAndWritesNothing(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(variant)) {
            dataplane.prepare(ALL);
            dataplane.activate();
          }
          List<String> before = saved(variant);
          // Found by itself: where the state is, whatever else is preferred.
          try (IptablesDataplane next =
              new IptablesDataplane(IptablesOptions.defaults(), settings(Scheduler.RANDOM))) {
            assertThat(next.phase()).isEqualTo(Phase.ACTIVE);
            assertThat(next.prepare(ALL)).isEqualTo(SyncResult.NONE);
            assertProven(next, ALL);
          }
          assertThat(saved(variant)).isEqualTo(before);
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void aChangeThatIsRefusedIsWrittenInFullInstead(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(variant)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            // The rule that the change would take away is gone already.
            change(variant, "nat", "-D KUBE-SERVICES 1\n-D KUBE-SERVICES 1");
            List<ServicePort> left = List.of(Samples.WEB_6, Samples.EMPTY, Samples.ONE);
            dataplane.apply(new Delta(List.of(), List.of(Samples.WEB)));
            assertProven(dataplane, desired(left));
            dataplane.apply(new Delta(List.of(new Change(null, Samples.WEB)), List.of()));
            assertProven(dataplane, ALL);
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void anActivationThatIsRefusedIsWrittenInFullInstead(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(variant)) {
            dataplane.prepare(ALL);
            // Somebody takes the chain of a Service port away that was just prepared.
            String chain = ChainNames.service(Samples.ONE.id());
            change(variant, "nat", "-F KUBE-SERVICES\n-F %s\n-X %s".formatted(chain, chain));
            dataplane.activate();
            assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
            assertProven(dataplane, ALL);
          }
        });
  }

  @Test
  void aChainThatSomebodyElseUsesStays() {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            change(Variant.NFT, "nat", ":MINE - [0:0]\n-A MINE -p tcp -j KUBE-MARK-MASQ");
            dataplane.drain();
            dataplane.remove();
            assertThat(saved(Variant.NFT))
                .contains(
                    "-A MINE -p tcp -j KUBE-MARK-MASQ",
                    "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000",
                    "-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\""
                        + " -j KUBE-POSTROUTING")
                .noneMatch(line -> line.startsWith(":KUBE-SVC-"));
          }
        });
  }

  @Test
  void settingsOfTheKernelComeBack() {
    inside(
        () -> {
          assertThat(Sysctls.ROUTE_LOCALNET.value()).isEqualTo("0");
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(ALL);
            assertThat(Sysctls.ROUTE_LOCALNET.value()).isEqualTo("0");
            dataplane.activate();
            assertThat(Sysctls.ROUTE_LOCALNET.value()).isEqualTo("1");
            assertThat(dataplane.read().settings())
                .containsExactly(new Setting(Sysctls.ROUTE_LOCALNET.text(), "1", "0"));
          }
          try (IptablesDataplane next = open(Variant.NFT)) {
            next.drain();
            next.remove();
            assertThat(Sysctls.ROUTE_LOCALNET.value()).isEqualTo("0");
          }
        });
  }

  @Test
  void otherSchedulersAreRefused() {
    assertThatThrownBy(
            () -> new IptablesDataplane(IptablesOptions.defaults(), settings(Scheduler.WLC)))
        .isInstanceOf(DataplaneException.class)
        .hasMessage("The Iptables dataplane does not have the scheduler wlc: choose random or rr.");
  }

  @Test
  void aMixedNodeIsNamed() {
    inside(
        () -> {
          addForeign(Variant.LEGACY);
          change(Variant.NFT, "filter", "-A INPUT -j ACCEPT");
          List<String> before = saved(Variant.LEGACY);
          IptablesDataplane dataplane =
              new IptablesDataplane(IptablesOptions.defaults(), settings(Scheduler.RR));
          assertThat(dataplane.preflight().passed()).isTrue();
          assertThat(dataplane.preflight().findings())
              .anyMatch(
                  it ->
                      it.reason().equals("MixedIptables")
                          && it.message()
                              .equals(
                                  "1 rule is in iptables-nft and the others in"
                                      + " iptables-legacy."))
              .anyMatch(it -> it.message().contains("by iptables-legacy, where this node's are"));
          assertThat(saved(Variant.LEGACY)).isEqualTo(before);
        });
  }

  private static List<String> builtIn(Variant variant) {
    return builtIn(saved(variant));
  }

  /** The rules of the built-in chains. */
  private static List<String> builtIn(List<String> lines) {
    List<String> rules = new ArrayList<>(lines);
    rules.removeIf(line -> !line.matches("-A (PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) .*"));
    return rules;
  }
}
