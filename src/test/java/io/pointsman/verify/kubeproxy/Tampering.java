// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import io.pointsman.kernel.CommandRunner;
import io.pointsman.verify.kubeproxy.Difference.Kind;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Something that is done to the rules behind kube-proxy's back.
 *
 * @param script for a shell in the node's namespace
 * @param says a pattern that the sentence of a difference contains
 * @param services those that are not served exactly any more, and no others
 */
record Tampering(String name, String script, Kind kind, String says, List<String> services) {
  private static final List<String> WEB = List.of("default/web:http");

  /** All that have endpoints, which are not reached when nothing of IPv4 is translated. */
  private static final List<String> TRANSLATED =
      List.of(
          "default/web:http",
          "default/web:dns",
          "default/web:sctp",
          "default/leaving:http",
          "default/sticky",
          "default/local:http",
          "default/elsewhere:http",
          "default/near:http");

  void apply(CommandRunner commands) {
    commands.run(List.of("sh", "-ec", script), "", line -> {});
  }

  /** Deletes the first rule of iptables-save that has all these words. */
  private static String delete(String table, String... words) {
    String filter =
        String.join(" | ", Arrays.stream(words).map(w -> "grep -F -- '" + w + "'").toList());
    return "rule=$(iptables-nft-save -t %s | grep '^-A' | %s | head -n 1); test -n \"$rule\"; "
            .formatted(table, filter)
        + "printf '*%s\\n%%s\\nCOMMIT\\n' \"$(echo \"$rule\" | sed 's/^-A/-D/')\"".formatted(table)
        + " | iptables-nft-restore --noflush";
  }

  static List<Tampering> inIptables() {
    return List.of(
        new Tampering(
            "a frontend's rule goes",
            delete("nat", "-A KUBE-SERVICES", "10.96.0.50/32", "web:http"),
            Kind.MISSING,
            "default/web:http: 10.96.0.50:80/TCP is missing",
            WEB),
        new Tampering(
            "a node port's rule goes",
            delete("nat", "-A KUBE-NODEPORTS", "--dport 30080 -j KUBE-EXT"),
            Kind.MISSING,
            "IPv4 node port 30080/TCP is missing",
            WEB),
        new Tampering(
            "an endpoint's rule goes",
            delete("nat", "-A KUBE-SVC", "default/web:http -> 10.244.1.6:8080"),
            Kind.MISSING,
            "10.96.0.50:80/TCP lacks the endpoint 10.244.1.6:8080",
            WEB),
        new Tampering(
            "a translation goes",
            delete("nat", "-A KUBE-SEP", "10.244.0.5:8080"),
            Kind.MISSING,
            "lacks the endpoint 10.244.0.5:8080",
            WEB),
        new Tampering(
            "a local endpoint goes",
            delete("nat", "-A KUBE-SVL", "default/local:http -> 10.244.0.12:8080"),
            Kind.MISSING,
            "203.0.113.20:80/TCP lacks the endpoint 10.244.0.12:8080",
            List.of("default/local:http")),
        new Tampering(
            "an endpoint for clients on the node goes",
            delete("nat", "-A KUBE-SVC", "default/elsewhere:http -> 10.244.1.13:8080"),
            Kind.MISSING,
            "lacks the endpoint 10.244.1.13:8080 for clients on the node",
            List.of("default/elsewhere:http")),
        new Tampering(
            "a rejection goes",
            delete("filter", "-A KUBE-SERVICES", "10.96.0.51/32"),
            Kind.MISSING,
            "default/empty: 10.96.0.51:53/UDP is missing",
            List.of("default/empty")),
        new Tampering(
            "a drop goes",
            delete("filter", "-A KUBE-EXTERNAL-SERVICES", "30082"),
            Kind.MISSING,
            "node port 30082/TCP has no endpoint and is not refused",
            List.of("default/elsewhere:http")),
        new Tampering(
            "a translation leads elsewhere",
            delete("nat", "-A KUBE-SEP", "10.244.0.5:8080")
                + "; chain=$(iptables-nft-save -t nat | grep -F -- '-s 10.244.0.5/32' | grep web:http"
                + " | head -n 1 | cut -d' ' -f2)"
                + "; iptables-nft -t nat -A $chain -p tcp -j DNAT --to-destination 10.66.6.6:8080",
            Kind.STALE,
            "has 10.66.6.6:8080, which is no endpoint of it",
            WEB),
        new Tampering(
            "a Service that is gone",
            "iptables-nft -t nat -N KUBE-SVC-AAAAAAAAAAAAAAAA; iptables-nft -t nat -I KUBE-SERVICES"
                + " -m comment --comment 'default/old:http cluster IP' -d 10.96.0.99 -p tcp"
                + " --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA",
            Kind.STALE,
            "default/old:http: 10.96.0.99:80/TCP is served, but there is no such Service port",
            List.of()),
        new Tampering(
            "a rule that nobody knows",
            "iptables-nft -t nat -I KUBE-SERVICES -s 10.1.2.3 -j RETURN",
            Kind.FOREIGN,
            "KUBE-SERVICES has a foreign rule",
            List.of()),
        new Tampering(
            "a place of nobody's",
            "iptables-nft -t nat -N KUBE-SVC-AAAAAAAAAAAAAAAA; iptables-nft -t nat -I KUBE-SERVICES"
                + " -d 10.96.0.98 -p tcp --dport 80 -j KUBE-SVC-AAAAAAAAAAAAAAAA",
            Kind.FOREIGN,
            "10.96.0.98:80/TCP is served and belongs to no Service",
            List.of()),
        new Tampering(
            "shares are shifted",
            delete("nat", "-A KUBE-SVC", "default/web:http -> 10.244.0.5:8080")
                + "; ends=$(echo $rule | sed 's/.*-j //'); chain=$(echo $rule | cut -d' ' -f2)"
                + "; iptables-nft -t nat -I $chain -m statistic --mode random --probability 0.9"
                + " -j $ends",
            Kind.BROKEN,
            "does not give every endpoint the same share",
            WEB),
        new Tampering(
            "the way in is closed",
            delete("nat", "-A PREROUTING", "KUBE-SERVICES"),
            Kind.BROKEN,
            "nat PREROUTING lacks the jump to KUBE-SERVICES",
            List.of()),
        new Tampering(
            "all rules of nat go",
            "iptables-nft -t nat -F",
            Kind.BROKEN,
            "nat PREROUTING lacks the jump to KUBE-SERVICES",
            Stream.concat(
                    TRANSLATED.stream(), Stream.of("default/kubernetes:https", "default/empty"))
                .toList()),
        new Tampering(
            "a rule before all others",
            "iptables-nft -t nat -I KUBE-SERVICES -m comment --comment 'not here' -j RETURN",
            Kind.BROKEN,
            "nat KUBE-SERVICES ends at a foreign rule, '.* -j RETURN', before kube-proxy's",
            List.of()),
        new Tampering(
            "a chain of others before all rules",
            "iptables-nft -t nat -N OTHERS; iptables-nft -t nat -I KUBE-POSTROUTING -g OTHERS",
            Kind.BROKEN,
            "nat KUBE-POSTROUTING ends at a foreign rule, '-g OTHERS', before kube-proxy's",
            List.of()),
        new Tampering(
            "all is refused",
            "iptables-nft -A KUBE-FORWARD -j REJECT",
            Kind.BROKEN,
            "filter KUBE-FORWARD refuses all by a foreign rule, '-j REJECT",
            List.of()),
        new Tampering(
            "nothing is masqueraded",
            "iptables-nft -t nat -F KUBE-POSTROUTING",
            Kind.BROKEN,
            "KUBE-POSTROUTING masquerades nothing",
            List.of()));
  }

  static List<Tampering> inNftables() {
    return List.of(
        new Tampering(
            "an element goes",
            "nft delete element ip kube-proxy service-ips '{ 10.96.0.50 . tcp . 80 }'",
            Kind.MISSING,
            "default/web:http: 10.96.0.50:80/TCP is missing",
            WEB),
        new Tampering(
            "a node port goes",
            "nft delete element ip kube-proxy service-nodeports '{ tcp . 30080 }'",
            Kind.MISSING,
            "IPv4 node port 30080/TCP is missing",
            WEB),
        new Tampering(
            "a chain is emptied",
            "chain=$(nft list chains | grep -o 'service-[A-Z0-9]*-default/web/tcp/http'"
                + " | head -n 1); nft flush chain ip kube-proxy $chain",
            Kind.MISSING,
            "lacks the endpoint 10.244.0.5:8080",
            WEB),
        new Tampering(
            "a rejection goes",
            "nft delete element ip kube-proxy no-endpoint-services '{ 10.96.0.51 . udp . 53 }'",
            Kind.MISSING,
            "default/empty: 10.96.0.51:53/UDP is missing",
            List.of("default/empty")),
        new Tampering(
            "a drop goes",
            "nft delete element ip kube-proxy no-endpoint-nodeports '{ tcp . 30082 }'",
            Kind.MISSING,
            "node port 30082/TCP has no endpoint and is not refused",
            List.of("default/elsewhere:http")),
        new Tampering(
            "a local chain is emptied",
            "chain=$(nft list chains | grep -o 'local-[A-Z0-9]*-default/local/tcp/http'"
                + " | head -n 1); nft flush chain ip kube-proxy $chain",
            Kind.MISSING,
            "203.0.113.20:80/TCP lacks the endpoint 10.244.0.12:8080",
            List.of("default/local:http")),
        new Tampering(
            "an address leads to another Service",
            "chain=$(nft list chains | grep -o 'service-[A-Z0-9]*-default/near/tcp/http'"
                + " | head -n 1)"
                + "; nft delete element ip kube-proxy service-ips '{ 10.96.0.50 . tcp . 80 }'"
                + "; nft add element ip kube-proxy service-ips \"{ 10.96.0.50 . tcp . 80 : goto"
                + " $chain }\"",
            Kind.STALE,
            "10.96.0.50:80/TCP has 10.244.0.14:8080, which is no endpoint of it",
            WEB),
        new Tampering(
            "a Service that is gone",
            "nft add chain ip kube-proxy service-ABCDEFGH-default/old/tcp/http; nft add element"
                + " ip kube-proxy service-ips '{ 10.96.0.99 . tcp . 80 : goto"
                + " service-ABCDEFGH-default/old/tcp/http }'",
            Kind.STALE,
            "default/old:http: 10.96.0.99:80/TCP is served, but there is no such Service port",
            List.of()),
        new Tampering(
            "the way in is closed",
            "nft flush chain ip kube-proxy nat-prerouting",
            Kind.BROKEN,
            "the prerouting hook does not lead to the map service-ips",
            List.of()),
        new Tampering(
            "the lookup of all Services is left before it is made",
            "nft insert rule ip kube-proxy services return",
            Kind.BROKEN,
            "the output hook does not lead to the map service-ips",
            TRANSLATED),
        new Tampering(
            "all new connections are dropped",
            "nft insert rule ip kube-proxy nat-prerouting drop",
            Kind.BROKEN,
            "the prerouting hook does not lead to the map service-ips",
            List.of()),
        new Tampering(
            "all that is forwarded is refused",
            "nft add rule ip kube-proxy filter-forward ct state new counter reject",
            Kind.BROKEN,
            "the chain filter-forward refuses all that comes from the forward hook",
            List.of()),
        new Tampering(
            "what is forwarded is dropped unless somebody accepts it",
            "nft chain ip kube-proxy filter-forward '{ policy drop ; }'",
            Kind.BROKEN,
            "the chain filter-forward refuses all that comes from the forward hook",
            List.of()),
        new Tampering(
            "the addresses of node ports go",
            "nft flush set ip kube-proxy nodeport-ips",
            Kind.BROKEN,
            "no address is in the set nodeport-ips",
            List.of()),
        new Tampering(
            "a Service's chain is left at its head",
            "chain=$(nft list chains | grep -o 'service-[A-Z0-9]*-default/web/tcp/http'"
                + " | head -n 1); nft insert rule ip kube-proxy $chain accept",
            Kind.BROKEN,
            "chain service-.*web/tcp/http has a foreign rule .accept, handle",
            WEB),
        new Tampering(
            "some of a Service's clients are dropped",
            "chain=$(nft list chains | grep -o 'external-[A-Z0-9]*-default/web/tcp/http'"
                + " | head -n 1); nft insert rule ip kube-proxy $chain ip saddr 10.1.2.3 drop",
            Kind.BROKEN,
            "chain external-.*web/tcp/http has a foreign rule .drop, handle",
            WEB),
        new Tampering(
            "a load balancer's address takes nobody",
            "chain=$(nft list chains | grep -o 'firewall-[A-Z0-9]*-default/local/tcp/http'"
                + " | head -n 1); nft insert rule ip kube-proxy $chain drop",
            Kind.BROKEN,
            "chain firewall-.*local/tcp/http has a foreign rule .drop, handle",
            List.of("default/local:http")),
        new Tampering(
            "a rule that nobody knows",
            "nft insert rule ip kube-proxy services ip saddr 10.1.2.3 return",
            Kind.FOREIGN,
            "the chain services has a foreign rule .return, handle",
            List.of()),
        new Tampering(
            "a chain that nobody knows",
            "nft add chain ip kube-proxy others; nft add rule ip kube-proxy nat-output ip saddr"
                + " 10.1.2.3 jump others",
            Kind.FOREIGN,
            "the chain nat-output has a foreign rule .jump, handle",
            List.of()),
        new Tampering(
            "a place of nobody's",
            "nft add element ip kube-proxy service-ips '{ 10.96.0.98 . tcp . 80 : drop }'",
            Kind.FOREIGN,
            "10.96.0.98:80/TCP is served and belongs to no Service",
            List.of()),
        new Tampering(
            "nothing is masqueraded",
            "nft flush chain ip kube-proxy masquerading",
            Kind.BROKEN,
            "nothing is masqueraded",
            List.of()));
  }
}
