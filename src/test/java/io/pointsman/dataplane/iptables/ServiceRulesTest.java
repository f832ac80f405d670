// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Letter for letter what kube-proxy writes. */
class ServiceRulesTest {
  private static final ServiceRules RULES =
      new ServiceRules(false, Optional.of(AddressRange.parse("10.244.0.0/16")), true);

  /** The suffixes are upstream's own goldens and what clusters are known to have. */
  @ParameterizedTest
  @CsvSource({
    "ns1,svc1,p80,XPGD46QRK7WJZT7O",
    "ns1,svc1,'',AQI2S6QIMU7PVVRP",
    "default,kubernetes,https,NPX46M4PTMTKRN6Y"
  })
  void chainsAreNamedByHash(String namespace, String service, String port, String suffix) {
    ServicePortId id = new ServicePortId(namespace, service, port, Protocol.TCP, IpFamily.IPV4);
    assertThat(ChainNames.service(id)).isEqualTo("KUBE-SVC-" + suffix);
    assertThat(ChainNames.external(id)).isEqualTo("KUBE-EXT-" + suffix);
  }

  @Test
  void endpointsAreNamedByHash() {
    ServicePortId id = new ServicePortId("ns1", "svc1", "p80", Protocol.TCP, IpFamily.IPV4);
    Backend backend = new Backend(Address.parse("10.180.0.1"), 80, false);
    assertThat(ChainNames.endpoint(id, ChainNames.socket(backend)))
        .isEqualTo("KUBE-SEP-SXIVWICOYRO3J4NJ");
    Backend v6 = new Backend(Address.parse("fd00:10:244:1::6"), 8080, false);
    assertThat(ChainNames.endpoint(Samples.WEB_6.id(), ChainNames.socket(v6)))
        .isEqualTo("KUBE-SEP-2ADN3J2QKZ4P7CZN");
  }

  @Test
  void aServiceWithEndpoints() {
    assertThat(lines(RULES, Samples.WEB))
        .containsExactly(
            """
            nat KUBE-SEP-7U6MWNJWR3SADOJA -m comment --comment "default/web:http" -s 10.244.0.5 -j KUBE-MARK-MASQ
            nat KUBE-SEP-7U6MWNJWR3SADOJA -m comment --comment "default/web:http" -m tcp -p tcp -j DNAT --to-destination 10.244.0.5:8080
            nat KUBE-SEP-F7BHZ7WL3PFYMSRY -m comment --comment "default/web:http" -s 10.244.1.6 -j KUBE-MARK-MASQ
            nat KUBE-SEP-F7BHZ7WL3PFYMSRY -m comment --comment "default/web:http" -m tcp -p tcp -j DNAT --to-destination 10.244.1.6:8080
            nat KUBE-SEP-2RIJ5GIYXEFH6G4D -m comment --comment "default/web:http" -s 10.244.2.7 -j KUBE-MARK-MASQ
            nat KUBE-SEP-2RIJ5GIYXEFH6G4D -m comment --comment "default/web:http" -m tcp -p tcp -j DNAT --to-destination 10.244.2.7:8080
            nat KUBE-SVC-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http cluster IP" -m tcp -p tcp -d 10.96.0.50 --dport 80 ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ
            nat KUBE-SVC-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http -> 10.244.0.5:8080" -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-7U6MWNJWR3SADOJA
            nat KUBE-SVC-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http -> 10.244.1.6:8080" -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-F7BHZ7WL3PFYMSRY
            nat KUBE-SVC-CDGGSHYLG3RE2FKL -m comment --comment "default/web:http -> 10.244.2.7:8080" -j KUBE-SEP-2RIJ5GIYXEFH6G4D
            nat KUBE-EXT-CDGGSHYLG3RE2FKL -m comment --comment "masquerade traffic for default/web:http external destinations" -j KUBE-MARK-MASQ
            nat KUBE-EXT-CDGGSHYLG3RE2FKL -j KUBE-SVC-CDGGSHYLG3RE2FKL
            nat KUBE-SERVICES -m comment --comment "default/web:http cluster IP" -m tcp -p tcp -d 10.96.0.50 --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL
            nat KUBE-SERVICES -m comment --comment "default/web:http external IP" -m tcp -p tcp -d 203.0.113.7 --dport 80 -j KUBE-EXT-CDGGSHYLG3RE2FKL
            nat KUBE-SERVICES -m comment --comment "default/web:http loadbalancer IP" -m tcp -p tcp -d 198.51.100.20 --dport 80 -j KUBE-EXT-CDGGSHYLG3RE2FKL
            nat KUBE-NODEPORTS -m comment --comment "default/web:http" -m tcp -p tcp --dport 30080 -j KUBE-EXT-CDGGSHYLG3RE2FKL
            """
                .split("\n"));
  }

  @Test
  void aServiceWithIpv6() {
    assertThat(lines(new ServiceRules(false, Optional.empty(), true), Samples.WEB_6))
        .contains(
            "nat KUBE-SVC-CDGGSHYLG3RE2FKL -m comment --comment \"default/web:http ->"
                + " [fd00:10:244:1::6]:8080\" -m statistic --mode random --probability"
                + " 0.5000000000 -j KUBE-SEP-2ADN3J2QKZ4P7CZN",
            "nat KUBE-SEP-2ADN3J2QKZ4P7CZN -m comment --comment \"default/web:http\" -m tcp -p tcp"
                + " -j DNAT --to-destination [fd00:10:244:1::6]:8080")
        .noneMatch(line -> line.contains(" ! -s "));
  }

  @Test
  void aServiceWithoutEndpoints() {
    assertThat(lines(RULES, Samples.EMPTY))
        .containsExactly(
            """
            filter KUBE-SERVICES -m comment --comment "default/empty has no endpoints" -m udp -p udp -d 10.96.0.51 --dport 53 -j REJECT
            filter KUBE-EXTERNAL-SERVICES -m comment --comment "default/empty has no endpoints" -m udp -p udp -d 203.0.113.8 --dport 53 -j REJECT
            filter KUBE-EXTERNAL-SERVICES -m comment --comment "default/empty has no endpoints" -m addrtype --dst-type LOCAL -m udp -p udp --dport 30053 -j REJECT
            """
                .split("\n"));
  }

  @Test
  void endpointsInTurn() {
    assertThat(lines(new ServiceRules(true, Optional.empty(), false), Samples.WEB))
        .contains(
            "nat KUBE-SVC-CDGGSHYLG3RE2FKL -m statistic --mode nth --every 3 --packet 0"
                + " -j KUBE-SEP-7U6MWNJWR3SADOJA",
            "nat KUBE-SVC-CDGGSHYLG3RE2FKL -m statistic --mode nth --every 2 --packet 0"
                + " -j KUBE-SEP-F7BHZ7WL3PFYMSRY",
            "nat KUBE-SVC-CDGGSHYLG3RE2FKL -j KUBE-SEP-2RIJ5GIYXEFH6G4D");
  }

  @ParameterizedTest
  @CsvSource({"2,0.5000000000", "3,0.3333333333", "7,0.1428571429", "2048,0.0004882812"})
  void chancesAreWrittenAsGoDoes(int oneIn, String text) {
    assertThat(ServiceRules.chance(oneIn)).isEqualTo(text);
  }

  @Test
  void nodePortsAreLedToByOneRuleOrByAddresses() {
    Address one = Address.parse("192.0.2.1");
    Address other = Address.parse("192.0.2.2");
    assertThat(NodePortDoors.rules(IpFamily.IPV4, Set.of(one, other), Set.of(one, other)))
        .containsExactly(
            "-m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule"
                + " in this chain\" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS");
    assertThat(NodePortDoors.rules(IpFamily.IPV6, Set.of(), Set.of(one)))
        .containsExactly(
            "-m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule"
                + " in this chain\" ! -d ::1/128 -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS");
    assertThat(NodePortDoors.rules(IpFamily.IPV4, Set.of(one), Set.of(one, other)))
        .containsExactly(
            "-m comment --comment \"kubernetes service nodeports; NOTE: this must be the last rule"
                + " in this chain\" -d 192.0.2.1 -j KUBE-NODEPORTS");
  }

  private static List<String> lines(ServiceRules rules, ServicePort port) {
    PortRules written = rules.of(port);
    List<String> lines = new ArrayList<>();
    written
        .chains()
        .forEach((chain, content) -> content.forEach(r -> lines.add("nat " + chain + " " + r)));
    written.shared().forEach(r -> lines.add(r.table().text() + " " + r.chain() + " " + r.rule()));
    return lines;
  }
}
