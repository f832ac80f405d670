// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.verify.Place;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The table as kube-proxy wrote it up to 1.35: a chain for each endpoint, chosen by a verdict map.
 * (The tests with a real one run 1.36, which has such chains for session affinity only.)
 */
class OlderKubeProxyTest {
  private static final String TABLE =
      """
      table ip kube-proxy {
        chain mark-for-masquerade { meta mark set meta mark or 0x4000; }
        chain masquerading { meta mark and 0x4000 == 0 return; meta mark set meta mark xor 0x4000; masquerade fully-random; }
        chain reject-chain { reject; }
        chain endpoint-AAAAAAAA-default/web/tcp/http__10.244.0.5/8080 {
          ip saddr 10.244.0.5 jump mark-for-masquerade
          meta l4proto tcp dnat to 10.244.0.5:8080
        }
        chain endpoint-BBBBBBBB-default/web/tcp/http__10.244.1.6/8080 {
          ip saddr 10.244.1.6 jump mark-for-masquerade
          meta l4proto tcp dnat to 10.244.1.6:8080
        }
        chain service-CCCCCCCC-default/web/tcp/http {
          ip daddr 10.96.0.50 tcp dport 80 ip saddr != 10.244.0.0/16 jump mark-for-masquerade
          numgen random mod 2 vmap { 0 : goto endpoint-AAAAAAAA-default/web/tcp/http__10.244.0.5/8080, 1 : goto endpoint-BBBBBBBB-default/web/tcp/http__10.244.1.6/8080 }
        }
        chain local-CCCCCCCC-default/web/tcp/http {
          numgen random mod 1 vmap { 0 : goto endpoint-AAAAAAAA-default/web/tcp/http__10.244.0.5/8080 }
        }
        chain external-CCCCCCCC-default/web/tcp/http {
          ip saddr 10.244.0.0/16 goto service-CCCCCCCC-default/web/tcp/http comment "short-circuit pod traffic"
          fib saddr type local jump mark-for-masquerade comment "masquerade local traffic"
          fib saddr type local goto service-CCCCCCCC-default/web/tcp/http comment "short-circuit local traffic"
          goto local-CCCCCCCC-default/web/tcp/http
        }
        map service-ips { type ipv4_addr . inet_proto . inet_service : verdict
          elements = { 10.96.0.50 . tcp . 80 : goto service-CCCCCCCC-default/web/tcp/http } }
        map service-nodeports { type inet_proto . inet_service : verdict
          elements = { tcp . 30080 : goto external-CCCCCCCC-default/web/tcp/http } }
        map no-endpoint-services { type ipv4_addr . inet_proto . inet_service : verdict
          elements = { 10.96.0.51 . sctp . 99 comment "default/empty:x has no endpoints" : goto reject-chain } }
        map no-endpoint-nodeports { type inet_proto . inet_service : verdict; }
        chain service-endpoints-check { ip daddr . meta l4proto . th dport vmap @no-endpoint-services; }
        chain nodeport-endpoints-check { fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @no-endpoint-nodeports; }
        chain services {
          ip daddr . meta l4proto . th dport vmap @service-ips
          fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @service-nodeports
        }
        chain filter-input { type filter hook input priority -110; ct state new jump nodeport-endpoints-check; ct state new jump service-endpoints-check; }
        chain filter-forward { type filter hook forward priority -110; ct state new jump service-endpoints-check; }
        chain filter-output { type filter hook output priority -110; ct state new jump service-endpoints-check; }
        chain nat-prerouting { type nat hook prerouting priority -100; jump services; }
        chain nat-output { type nat hook output priority -100; jump services; }
        chain nat-postrouting { type nat hook postrouting priority 100; jump masquerading; }
      }
      """;

  private final KernelSandbox sandbox = new KernelSandbox();
  private final CommandRunner commands =
      new CommandRunner(List.of("ip", "netns", "exec", sandbox.namespace()));

  @AfterEach
  void leaveNothing() {
    sandbox.close();
  }

  @Test
  void chainsAreFollowedToTheirEndpoints() {
    KubeProxyState state = read(TABLE);
    assertThat(state.defects()).isEmpty();
    assertThat(state.foreign()).isEmpty();
    Map<String, KubeProxyFrontend> found = new TreeMap<>();
    for (KubeProxyFrontend each : state.frontends()) {
      assertThat(each.flaws()).isEmpty();
      found.put(new Place(each.address(), each.port(), each.protocol()).toString(), each);
    }
    assertThat(found.keySet())
        .containsExactly("10.96.0.50:80/TCP", "10.96.0.51:99/SCTP", "IPv4 node port 30080/TCP");
    KubeProxyFrontend cluster = requireNonNull(found.get("10.96.0.50:80/TCP"));
    assertThat(cluster.service()).isEqualTo("default/web:http");
    assertThat(addresses(cluster.outside())).containsExactly("10.244.0.5", "10.244.1.6");
    KubeProxyFrontend nodePort = requireNonNull(found.get("IPv4 node port 30080/TCP"));
    assertThat(addresses(nodePort.outside())).containsExactly("10.244.0.5");
    assertThat(addresses(nodePort.inside())).containsExactly("10.244.0.5", "10.244.1.6");
    KubeProxyFrontend empty = requireNonNull(found.get("10.96.0.51:99/SCTP"));
    assertThat(empty.refuses()).isTrue();
    assertThat(empty.service()).isEqualTo("default/empty:x");
  }

  @Test
  void aChoiceThatMissesSomeIsAFlaw() {
    KubeProxyState state = read(TABLE.replace("numgen random mod 2", "numgen random mod 3"));
    assertThat(state.frontends())
        .anyMatch(
            each ->
                each.flaws()
                    .contains(
                        "chain service-CCCCCCCC-default/web/tcp/http does not give every endpoint"
                            + " the same share"));
  }

  @Test
  void aTableThatNoPacketEntersServesNothing() {
    KubeProxyState state = read(TABLE.replace("jump services;", ""));
    assertThat(state.frontends()).hasSize(1);
    assertThat(state.defects())
        .anyMatch(it -> it.contains("the prerouting hook does not lead to the map service-ips"));
  }

  /** Of 1.29 and 1.30, with a firewall, and with the addresses of node ports in a set. */
  @Test
  void theOldestFormsAreKubeProxys() {
    KubeProxyState state =
        read(
            TABLE
                .replace("fib daddr type local ip daddr != 127.0.0.0/8", "ip daddr @nodeport-ips")
                .replace(
                    "chain services {",
                    """
                    set nodeport-ips { type ipv4_addr; elements = { 192.0.2.10 }; }
                    map firewall-ips { type ipv4_addr . inet_proto . inet_service : verdict
                      elements = { 10.96.0.50 . tcp . 80 : goto firewall-CCCCCCCC-default/web/tcp/http } }
                    set cluster-ips { type ipv4_addr; elements = { 10.96.0.50 }; }
                    chain firewall-CCCCCCCC-default/web/tcp/http { ip saddr != 203.0.113.0/25 drop; }
                    chain firewall-check { ip daddr . meta l4proto . th dport vmap @firewall-ips; }
                    chain cluster-ips-check { ip daddr @cluster-ips reject; ip daddr 10.96.0.0/16 drop; }
                    chain endpoints-check { ip daddr . meta l4proto . th dport vmap @no-endpoint-services; }
                    chain filter-prerouting { type filter hook prerouting priority -110; ct state new jump firewall-check; }
                    chain filter-late { type filter hook forward priority 0; ct state new jump endpoints-check; ct state new jump cluster-ips-check; }
                    chain services {
                    """));
    assertThat(state.defects()).isEmpty();
    assertThat(state.foreign()).isEmpty();
    assertThat(state.frontends()).hasSize(3).allMatch(each -> each.flaws().isEmpty());
  }

  /** What comes back from a chain of others may not come at all. */
  @Test
  void aChainOfOthersThatEndsForAllIsTold() {
    KubeProxyState state =
        read(
            TABLE.replace(
                "chain nat-output { type nat hook output priority -100;",
                "chain others { meta mark set 7; accept; }\n"
                    + "chain nat-output { type nat hook output priority -100; jump others;"));
    assertThat(state.defects())
        .containsExactly(
            "nft ip kube-proxy: the output hook does not lead to the map service-ips.",
            "nft ip kube-proxy: the output hook does not lead to the map service-nodeports.");
    assertThat(state.foreign())
        .singleElement()
        .asString()
        .contains("the chain nat-output has a foreign rule (jump, handle ");
  }

  /** A rule that takes packets at random, or as many in a second, leaves others through. */
  @Test
  void whatEndsForSomeIsForeignOnly() {
    KubeProxyState state =
        read(TABLE.replace("chain services {", "chain services { limit rate 5/second drop;"));
    assertThat(state.defects()).isEmpty();
    assertThat(state.foreign())
        .singleElement()
        .asString()
        .contains("the chain services has a foreign rule (limit, drop, handle ");
  }

  /** As with a node without an IPv6 address in a cluster that has both. */
  @Test
  void ofTwoFamiliesTheSecondMayHaveNoAddressForNodePorts() {
    String table =
        TABLE
            .replace("fib daddr type local ip daddr != 127.0.0.0/8", "ip daddr @nodeport-ips")
            .replace("chain services {", "set nodeport-ips { type ipv4_addr; }\nchain services {");
    String second =
        "table ip6 kube-proxy {\n"
            + "set nodeport-ips { type ipv6_addr; }\n"
            + "map service-nodeports { type inet_proto . inet_service : verdict;"
            + " elements = { tcp . 30080 : goto external-CCCCCCCC-default/web/tcp/http } }\n"
            + "chain external-CCCCCCCC-default/web/tcp/http { meta l4proto tcp dnat to"
            + " [fd00::5]:8080; }\n"
            + "chain services { ip6 daddr @nodeport-ips meta l4proto . th dport vmap"
            + " @service-nodeports; }\n"
            + "chain nat-prerouting { type nat hook prerouting priority -100; jump services; }\n"
            + "}\n";
    String says = ": no address is in the set nodeport-ips, so no node port answers.";
    assertThat(read(table + second).defects())
        .contains("nft ip kube-proxy" + says, "nft ip6 kube-proxy" + says);
    String filled =
        table.replace("type ipv4_addr; }", "type ipv4_addr; elements = { 192.0.2.1 } }");
    commands.run(List.of("nft", "flush", "ruleset"), "", line -> {});
    assertThat(read(filled + second).defects()).noneMatch(it -> it.endsWith(says));
  }

  private KubeProxyState read(String table) {
    commands.run(List.of("nft", "-f", "-"), table, line -> {});
    List<KubeProxyState> states = new KubeProxyTable(commands).read();
    assertThat(states).hasSize(1);
    return states.getFirst();
  }

  private static List<String> addresses(List<BackendAddress> backends) {
    return backends.stream().map(each -> each.address().toString()).toList();
  }
}
