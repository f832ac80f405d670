// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.kernel.CommandRunner;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Reads rules in the form in which real tools print them back. */
class KubeProxyRulesTest {
  private static final ServicePort WEB =
      port(
          "web",
          IpFamily.IPV4,
          true,
          new Frontend(Address.parse("10.96.0.50"), 80, Protocol.TCP, FrontendKind.CLUSTER_IP),
          new Frontend(Address.ANY_V4, 30080, Protocol.TCP, FrontendKind.NODE_PORT),
          new Frontend(Address.parse("192.0.2.1"), 80, Protocol.TCP, FrontendKind.EXTERNAL_IP));
  private static final ServicePort DNS6 =
      port(
          "dns",
          IpFamily.IPV6,
          true,
          new Frontend(Address.parse("fd00::a"), 53, Protocol.UDP, FrontendKind.CLUSTER_IP));
  private static final ServicePort EMPTY =
      port(
          "empty",
          IpFamily.IPV4,
          false,
          new Frontend(Address.parse("10.96.0.51"), 80, Protocol.TCP, FrontendKind.CLUSTER_IP));

  private static final String V4 =
      """
      *nat
      :KUBE-SERVICES - [0:0]
      :KUBE-NODEPORTS - [0:0]
      :KUBE-SVC-CDGGSHYLG3RE2FKL - [0:0]
      :KUBE-EXT-CDGGSHYLG3RE2FKL - [0:0]
      -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A KUBE-SERVICES -d 10.96.0.50/32 -p tcp -m comment --comment "default/web:http cluster IP" \
      -m tcp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL
      -A KUBE-SERVICES -d 192.0.2.1/32 -p tcp -m comment --comment "default/web:http external IP" \
      -m tcp --dport 80 -j KUBE-EXT-CDGGSHYLG3RE2FKL
      -A KUBE-NODEPORTS -p tcp -m comment --comment "default/web:http" -m tcp --dport 30080 \
      -j KUBE-EXT-CDGGSHYLG3RE2FKL
      COMMIT
      *filter
      :KUBE-SERVICES - [0:0]
      -A KUBE-SERVICES -d 10.96.0.51/32 -p tcp -m comment --comment "default/empty:http has no \
      endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
      COMMIT
      """;
  private static final String V6 =
      """
      *nat
      :KUBE-SERVICES - [0:0]
      :KUBE-SVC-TCOU7JCQXEZGVUNU - [0:0]
      -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A KUBE-SERVICES -d fd00::a/128 -p udp -m comment --comment "kube-system/dns cluster IP" \
      -m udp --dport 53 -j KUBE-SVC-TCOU7JCQXEZGVUNU
      COMMIT
      """;
  private static final String NFT =
      """
      table ip kube-proxy {
        chain service-A-default/web/tcp/http { }
        chain external-A-default/web/tcp/http { }
        chain reject-chain { reject; }
        map service-ips { type ipv4_addr . inet_proto . inet_service : verdict
          elements = { 10.96.0.50 . tcp . 80 : goto service-A-default/web/tcp/http,
            192.0.2.1 . tcp . 80 : goto external-A-default/web/tcp/http } }
        map no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict
          elements = { 10.96.0.51 . tcp . 80 comment "default/empty:http" : goto reject-chain } }
        map service-nodeports { type inet_proto . inet_service : verdict
          elements = { tcp . 30080 : goto external-A-default/web/tcp/http } }
      }
      table ip6 kube-proxy {
        chain service-B-kube-system/dns/udp/ { }
        map service-ips { type ipv6_addr . inet_proto . inet_service : verdict
          elements = { fd00::a . udp . 53 : goto service-B-kube-system/dns/udp/ } }
      }
      """;

  @Test
  void iptablesRulesServe() {
    try (NetworkNamespace namespace = new NetworkNamespace("rules")) {
      CommandRunner commands = namespace.commands();
      commands.run(List.of("iptables-nft-restore"), V4, line -> {});
      commands.run(List.of("ip6tables-nft-restore"), V6, line -> {});
      assertServed(read(commands));
    }
  }

  @Test
  void legacyIptablesRulesServe() {
    try (NetworkNamespace namespace = new NetworkNamespace("rules-legacy")) {
      CommandRunner commands = namespace.commands();
      commands.run(List.of("iptables-legacy-restore"), V4, line -> {});
      commands.run(List.of("ip6tables-legacy-restore"), V6, line -> {});
      KubeProxyRules rules = new KubeProxyRules();
      commands.run(
          List.of("iptables-legacy-save"), "", l -> rules.acceptIptables(IpFamily.IPV4, l));
      commands.run(
          List.of("ip6tables-legacy-save"), "", l -> rules.acceptIptables(IpFamily.IPV6, l));
      assertServed(rules);
    }
  }

  @Test
  void eachMissingRuleShows() {
    for (String needle : List.of("--dport 30080", "192.0.2.1/32", "10.96.0.50/32", "PREROUTING")) {
      KubeProxyRules rules = new KubeProxyRules();
      V4.lines()
          .filter(line -> !line.contains(needle))
          .forEach(line -> rules.acceptIptables(IpFamily.IPV4, line));
      assertThat(rules.serves(WEB)).as(needle).isFalse();
    }
    KubeProxyRules none = new KubeProxyRules();
    assertThat(none.serves(EMPTY)).isFalse();
  }

  @Test
  void aRejectedServiceWithEndpointsIsNotServedYet() {
    KubeProxyRules rules = new KubeProxyRules();
    V4.lines().forEach(line -> rules.acceptIptables(IpFamily.IPV4, line));
    ServicePort filled =
        port("empty", IpFamily.IPV4, true, EMPTY.frontends().toArray(new Frontend[0]));
    assertThat(rules.serves(filled)).isFalse();
  }

  @Test
  void nftablesMapsServe() {
    try (NetworkNamespace namespace = new NetworkNamespace("rules-nft")) {
      CommandRunner commands = namespace.commands();
      commands.run(List.of("nft", "-f", "-"), NFT, line -> {});
      KubeProxyRules rules = new KubeProxyRules();
      commands.run(
          List.of("nft", "list", "table", "ip", "kube-proxy"),
          "",
          line -> rules.acceptNft(IpFamily.IPV4, line));
      commands.run(
          List.of("nft", "list", "table", "ip6", "kube-proxy"),
          "",
          line -> rules.acceptNft(IpFamily.IPV6, line));
      assertServed(rules);
      ServicePort other =
          port(
              "other",
              IpFamily.IPV4,
              true,
              new Frontend(Address.parse("10.96.0.50"), 81, Protocol.TCP, FrontendKind.CLUSTER_IP));
      assertThat(rules.serves(other)).isFalse();
    }
  }

  private static KubeProxyRules read(CommandRunner commands) {
    KubeProxyRules rules = new KubeProxyRules();
    commands.run(List.of("iptables-nft-save"), "", l -> rules.acceptIptables(IpFamily.IPV4, l));
    commands.run(List.of("ip6tables-nft-save"), "", l -> rules.acceptIptables(IpFamily.IPV6, l));
    return rules;
  }

  private static void assertServed(KubeProxyRules rules) {
    for (ServicePort port : List.of(WEB, DNS6, EMPTY)) {
      assertThat(rules.serves(port)).as(port.id().text()).isTrue();
    }
  }

  private static ServicePort port(
      String service, IpFamily family, boolean filled, Frontend... frontends) {
    Address backend = Address.parse(family == IpFamily.IPV4 ? "10.244.0.5" : "fd01::5");
    return new ServicePort(
        new ServicePortId("default", service, "http", frontends[0].protocol(), family),
        List.of(frontends),
        filled ? List.of(new Backend(backend, 8080, false)) : List.of());
  }
}
