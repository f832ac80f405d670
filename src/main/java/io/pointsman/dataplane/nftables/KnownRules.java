// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import io.pointsman.dataplane.nftables.NftTable.NftChain;
import java.util.Set;

/**
 * Tells the rules that kube-proxy writes, in any release since its nftables mode is there, from
 * those of others. Chains that no release has are not judged: who jumps to them is.
 */
final class KnownRules {
  private static final String MARK = "mark-for-masquerade";

  /** Of 1.37 on; each begins so. */
  private static final String LOCALHOST = "localhost-nodeport-reject";

  /** Chains that base chains jump to. */
  private static final Set<String> ENTERED =
      Set.of(
          "services",
          "endpoints-check",
          "service-endpoints-check",
          "nodeport-endpoints-check",
          "cluster-ips-check",
          "firewall-check",
          "masquerading");

  private KnownRules() {}

  /** Whether a rule of a chain that serves all Services has a form that kube-proxy gives it. */
  static boolean has(NftChain chain, NftRule rule) {
    if (chain.isBase()) {
      return rule.does("jump")
          && rule.chains.stream().allMatch(to -> ENTERED.contains(to) || to.startsWith(LOCALHOST));
    }
    return switch (chain.name) {
      case "services" -> looksUp(rule) || rule.matches && marks(rule);
      case "endpoints-check",
          "service-endpoints-check",
          "nodeport-endpoints-check",
          "firewall-check" ->
          looksUp(rule);
      case "cluster-ips-check" -> rule.matches && (rule.does("reject") || rule.does("drop"));
      case "masquerading" ->
          rule.matches && rule.does("return")
              || rule.does("mangle")
              || rule.does("masquerade")
              || rule.does("mangle", "masquerade");
      case MARK -> rule.does("mangle");
      case "reject-chain" -> rule.does("reject");
      default -> true;
    };
  }

  /** Whether a rule of a Service port's own chain has a form that kube-proxy gives it. */
  static boolean ofPort(NftRule rule) {
    return rule.does("dnat")
        || rule.does("vmap") && rule.maps.isEmpty()
        || rule.does("goto")
        || rule.does("set")
        || marks(rule);
  }

  /** Whether a rule keeps source ranges from a load balancer's address. */
  static boolean ofFirewall(NftRule rule) {
    return rule.bySource && rule.does("drop");
  }

  private static boolean looksUp(NftRule rule) {
    return rule.does("vmap") && !rule.maps.isEmpty();
  }

  private static boolean marks(NftRule rule) {
    return rule.does("mangle") || rule.does("jump") && rule.chains.getFirst().equals(MARK);
  }
}
