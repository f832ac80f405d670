// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.iptables.ExtensionsTest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The rules as iptables-save 1.8.9 prints those of kube-proxy 1.36 in its ipvs mode. */
class RulePlanTest {
  private static final String CLUSTER_IP =
      " -m comment --comment \"Kubernetes service cluster ip + port for masquerade purpose\""
          + " -m set --match-set KUBE-CLUSTER-IP ";

  @Test
  void servesAndMasqueradesAsKubeProxyDoes() {
    RulePlan plan = RulePlan.active(IpFamily.IPV4, IpvsOptions.defaults());
    assertThat(plan.in("nat"))
        .containsOnlyKeys(
            "KUBE-SERVICES",
            "KUBE-LOAD-BALANCER",
            "KUBE-MARK-MASQ",
            "KUBE-NODE-PORT",
            "KUBE-POSTROUTING",
            "POINTSMAN-POSTROUTING");
    assertThat(plan.rules("nat", "KUBE-SERVICES"))
        .contains(
            "-A KUBE-SERVICES -s 127.0.0.0/8 -j RETURN",
            "-A KUBE-SERVICES" + CLUSTER_IP + "src,dst -j KUBE-MARK-MASQ",
            "-A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT",
            "-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT");
    assertThat(plan.rules("nat", "KUBE-POSTROUTING"))
        .containsSubsequence(
            "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
            "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0",
            "-A KUBE-POSTROUTING -m comment --comment \"kubernetes service traffic requiring SNAT\""
                + " -j MASQUERADE --random-fully");
    assertThat(plan.rules("nat", "KUBE-MARK-MASQ"))
        .containsExactly("-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000");
  }

  @Test
  void allThatIsWrittenIsAskedForBefore() {
    RulePlan plan = RulePlan.active(IpFamily.IPV4, IpvsOptions.defaults());
    List<String> written = new ArrayList<>();
    plan.chains.values().forEach(table -> table.values().forEach(written::addAll));
    plan.jumps.values().forEach(written::addAll);
    assertThat(ExtensionsTest.extensions(RulePlan.EXAMPLES))
        .isEqualTo(ExtensionsTest.extensions(written));
  }

  @Test
  void usesTheSetsAndAddressesOfItsFamily() {
    RulePlan plan = RulePlan.active(IpFamily.IPV6, IpvsOptions.defaults());
    assertThat(plan.rules("nat", "KUBE-SERVICES"))
        .contains(
            "-A KUBE-SERVICES -s ::1/128 -j RETURN",
            "-A KUBE-SERVICES -m set --match-set KUBE-6-CLUSTER-IP dst,dst -j ACCEPT");
    assertThat(plan.rules("filter", "KUBE-IPVS-FILTER"))
        .last()
        .isEqualTo(
            "-A KUBE-IPVS-FILTER -m conntrack --ctstate NEW -m set --match-set KUBE-6-IPVS-IPS dst"
                + " -j REJECT --reject-with icmp6-port-unreachable");
  }

  @Test
  void masqueradesWhatComesFromElsewhereWhenItKnowsThePods() {
    IpvsOptions options =
        IpvsOptions.defaults().localTo(List.of(AddressRange.parse("10.244.0.0/16")));
    assertThat(services(options, IpFamily.IPV4))
        .contains("-A KUBE-SERVICES ! -s 10.244.0.0/16" + CLUSTER_IP + "dst,dst -j KUBE-MARK-MASQ");
    assertThat(services(options, IpFamily.IPV6)).anyMatch(rule -> rule.contains(" src,dst -j"));
  }

  @Test
  void hasOnlyItsOwnChainBeforeItTakesTraffic() {
    RulePlan plan = RulePlan.prepared(IpFamily.IPV4, IpvsOptions.defaults());
    assertThat(plan.chains).containsOnlyKeys("nat");
    assertThat(plan.in("nat")).containsOnlyKeys("POINTSMAN-POSTROUTING");
    assertThat(plan.jumps.get("nat")).singleElement().asString().startsWith("-A POSTROUTING ");
  }

  @Test
  void holdsFlowsBackInBothDirections() {
    RulePlan plan = RulePlan.holding(IpFamily.IPV6, IpvsOptions.defaults());
    assertThat(plan.rules("mangle", "POINTSMAN-HOLD"))
        .containsExactly(
            "-A POINTSMAN-HOLD -m set --match-set POINTSMAN-6-HELD src,src,dst -j DROP",
            "-A POINTSMAN-HOLD -m set --match-set POINTSMAN-6-HELD dst,dst,src -j DROP");
    assertThat(plan.jumps.get("mangle")).hasSize(2);
  }

  @Test
  void tellsCleanersWhatToLeave() {
    assertThat(IpvsNames.hasChain("nat", "KUBE-SERVICES")).isTrue();
    assertThat(IpvsNames.hasChain("filter", "KUBE-SERVICES")).isFalse();
    assertThat(IpvsNames.hasChain("filter", "KUBE-NODE-PORT")).isFalse();
    assertThat(IpvsNames.hasChain("mangle", "KUBE-PROXY-CANARY")).isFalse();
    assertThat(IpvsNames.sets())
        .contains("KUBE-6-NODE-PORT-SCTP-HASH", "KUBE-IPVS-IPS", "POINTSMAN-6-NODE-IPS")
        .doesNotContain("KUBE-HEALTH-CHECK-NODE-PORT")
        .allMatch(name -> IpSets.OURS.matcher(name).matches())
        .allMatch(name -> name.length() < 32);
  }

  private static List<String> services(IpvsOptions options, IpFamily family) {
    return RulePlan.active(family, options).rules("nat", "KUBE-SERVICES");
  }
}
