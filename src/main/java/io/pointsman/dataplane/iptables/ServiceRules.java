// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.iptables.ChainNames.EXTERNAL_SERVICES;
import static io.pointsman.dataplane.iptables.ChainNames.MARK_MASQ;
import static io.pointsman.dataplane.iptables.ChainNames.NODE_PORTS;
import static io.pointsman.dataplane.iptables.ChainNames.SERVICES;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.iptables.PortRules.SharedRule;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Writes the rules of Service ports as kube-proxy does: one chain that chooses an endpoint, one
 * chain for each endpoint, and one that external traffic passes first.
 *
 * @param inTurn whether endpoints are chosen one after the other, else at random
 * @param localRange what is not from here is masqueraded on its way to a cluster IP
 * @param commented whether rules of endpoints say what they are for
 */
record ServiceRules(boolean inTurn, Optional<AddressRange> localRange, boolean commented) {
  private static final int CHANCE_DIGITS = 10;

  /** Every Service asks for the same few, and a decimal takes longer than the rest of its rule. */
  private static final Map<Integer, String> CHANCES = new ConcurrentHashMap<>();

  /** With more endpoints than this their rules go without comments, as kube-proxy does it. */
  private static final int LARGE_CLUSTER = 1000;

  /** The way that the rules of all these ports are written. */
  static ServiceRules of(
      Collection<ServicePort> ports, boolean inTurn, Optional<AddressRange> localRange) {
    int endpoints = 0;
    for (ServicePort port : ports) {
      endpoints += port.backends().size();
    }
    return new ServiceRules(inTurn, localRange, endpoints <= LARGE_CLUSTER);
  }

  PortRules of(ServicePort port) {
    Map<String, List<String>> chains = new LinkedHashMap<>();
    if (!port.backends().isEmpty()) {
      String name = port.id().text();
      String service = ChainNames.service(port.id());
      chains.put(service, choice(port, chains));
      if (port.frontends().stream().anyMatch(it -> it.kind() != FrontendKind.CLUSTER_IP)) {
        String words = "masquerade traffic for " + name + " external destinations";
        chains.put(
            ChainNames.external(port.id()),
            List.of(comment(words) + " -j " + MARK_MASQ, "-j " + service));
      }
    }
    return new PortRules(chains, sharedOf(port));
  }

  /** The same without the port's own chains. */
  PortRules leadingTo(ServicePort port) {
    return new PortRules(Map.of(), sharedOf(port));
  }

  /** The rules in chains that are shared with other Service ports. */
  List<SharedRule> sharedOf(ServicePort port) {
    List<SharedRule> rules = new ArrayList<>(port.frontends().size());
    for (Frontend frontend : port.frontends()) {
      rules.add(port.backends().isEmpty() ? rejecting(port, frontend) : serving(port, frontend));
    }
    return rules;
  }

  private static SharedRule rejecting(ServicePort port, Frontend frontend) {
    String chain = frontend.kind() == FrontendKind.CLUSTER_IP ? SERVICES : EXTERNAL_SERVICES;
    String local = frontend.kind() == FrontendKind.NODE_PORT ? " -m addrtype --dst-type LOCAL" : "";
    return new SharedRule(
        Table.FILTER,
        chain,
        comment(port.id().text() + " has no endpoints") + local + place(frontend) + " -j REJECT");
  }

  private static SharedRule serving(ServicePort port, Frontend frontend) {
    boolean clusterIp = frontend.kind() == FrontendKind.CLUSTER_IP;
    String target = clusterIp ? ChainNames.service(port.id()) : ChainNames.external(port.id());
    return new SharedRule(
        Table.NAT,
        frontend.kind() == FrontendKind.NODE_PORT ? NODE_PORTS : SERVICES,
        comment(port.id().text() + words(frontend.kind())) + place(frontend) + " -j " + target);
  }

  /** The chain that chooses; the chains of the endpoints are added on the way. */
  private List<String> choice(ServicePort port, Map<String, List<String>> chains) {
    String name = port.id().text();
    List<String> rules = new ArrayList<>(port.backends().size() + 1);
    if (localRange.isPresent()) {
      for (Frontend frontend : port.frontends()) {
        if (frontend.kind() == FrontendKind.CLUSTER_IP) {
          rules.add(
              comment(name + words(frontend.kind()))
                  + place(frontend)
                  + " ! -s "
                  + localRange.get()
                  + " -j "
                  + MARK_MASQ);
        }
      }
    }
    Map<String, Backend> backends = new TreeMap<>();
    port.backends().forEach(backend -> backends.put(ChainNames.socket(backend), backend));
    int left = backends.size();
    for (var backend : backends.entrySet()) {
      String socket = backend.getKey();
      String endpoint = ChainNames.endpoint(port.id(), socket);
      String words = commented ? comment(name + " -> " + socket) + " " : "";
      rules.add(words + share(left--) + "-j " + endpoint);
      chains.put(endpoint, endpoint(port, backend.getValue().address(), socket));
    }
    return rules;
  }

  private List<String> endpoint(ServicePort port, Address address, String socket) {
    String words = commented ? comment(port.id().text()) + " " : "";
    String protocol = port.id().protocol().name().toLowerCase(Locale.ROOT);
    return List.of(
        words + "-s " + address + " -j " + MARK_MASQ,
        words + "-m " + protocol + " -p " + protocol + " -j DNAT --to-destination " + socket);
  }

  /** Takes one of as many flows as there are endpoints left, so that all get the same. */
  private String share(int left) {
    if (left == 1) {
      return "";
    }
    return inTurn
        ? "-m statistic --mode nth --every " + left + " --packet 0 "
        : "-m statistic --mode random --probability " + chance(left) + " ";
  }

  static String chance(int oneIn) {
    return CHANCES.computeIfAbsent(
        oneIn,
        n ->
            new BigDecimal(1.0 / n)
                .setScale(CHANCE_DIGITS, RoundingMode.HALF_EVEN)
                .toPlainString());
  }

  private static String words(FrontendKind kind) {
    return switch (kind) {
      case CLUSTER_IP -> " cluster IP";
      case EXTERNAL_IP -> " external IP";
      case LOAD_BALANCER -> " loadbalancer IP";
      case NODE_PORT -> "";
    };
  }

  private static String place(Frontend frontend) {
    String protocol = frontend.protocol().name().toLowerCase(Locale.ROOT);
    String destination = frontend.address().isAny() ? "" : " -d " + frontend.address();
    return " -m " + protocol + " -p " + protocol + destination + " --dport " + frontend.port();
  }

  private static String comment(String words) {
    return "-m comment --comment \"" + words + "\"";
  }
}
