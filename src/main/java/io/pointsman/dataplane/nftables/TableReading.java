// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.nftables.NftTable.NftChain;
import io.pointsman.dataplane.nftables.NftTable.NftEntry;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Puts kube-proxy's table together: which chain each place leads to, and which endpoints packets
 * reach from there. Chains are followed by their rules; their names say only which Service it is.
 */
final class TableReading {
  private static final String SERVICES = "service-ips";
  private static final String NODE_PORTS = "service-nodeports";
  private static final String REFUSED_SERVICES = "no-endpoint-services";
  private static final String REFUSED_NODE_PORTS = "no-endpoint-nodeports";

  private static final List<String> HOOKS = List.of("prerouting", "input", "forward", "output");

  private final Address any;
  private final NftTable table;
  private final Map<Place, Answer> answers = new LinkedHashMap<>();

  private record Place(Address address, int port, int protocol) {}

  /** What is found of a place. */
  private static final class Answer {
    private @Nullable String target;
    private boolean refuses;
    private String service = "";
  }

  TableReading(IpFamily family, NftTable table) {
    this.any = family == IpFamily.IPV4 ? Address.ANY_V4 : Address.ANY_V6;
    this.table = table;
    for (String map : List.of(SERVICES, NODE_PORTS, REFUSED_SERVICES, REFUSED_NODE_PORTS)) {
      if (entered(map)) {
        table.map(map).forEach(entry -> accept(map, entry));
      }
    }
  }

  private void accept(String map, NftEntry entry) {
    boolean nodePort = entry.key().size() == 2;
    int at = nodePort ? 0 : 1;
    JsonNode protocol = entry.key().get(at);
    Place place =
        new Place(
            nodePort ? any : Json.address(entry.key().getFirst()),
            entry.key().get(at + 1).asInt(),
            Json.protocol(protocol));
    Answer answer = answers.computeIfAbsent(place, it -> new Answer());
    if (map.equals(SERVICES) || map.equals(NODE_PORTS)) {
      answer.target = entry.target();
      answer.service = service(entry.target());
    } else {
      answer.refuses = refuses(entry.target());
      if (answer.service.isEmpty()) {
        // Some releases say more behind the name.
        answer.service = entry.comment().split(" ", 2)[0];
      }
    }
  }

  private boolean refuses(@Nullable String target) {
    NftChain chain = target == null ? null : table.chain(target);
    return target == null || chain != null && chain.rules.stream().anyMatch(rule -> rule.refuses);
  }

  /** A chain's name is {@code kind-HASH-namespace/service/protocol/port}. */
  private static String service(@Nullable String chain) {
    if (chain == null) {
      return "";
    }
    String[] parts = chain.split("/", -1);
    int dash = parts[0].indexOf('-', parts[0].indexOf('-') + 1);
    if (parts.length < 4 || dash < 0) {
      return "";
    }
    String name = parts[0].substring(dash + 1) + "/" + parts[1];
    return parts[3].isEmpty() ? name : name + ":" + parts[3];
  }

  /** Whether packets from outside or from the node are looked up in the map. */
  private boolean entered(String map) {
    return HOOKS.stream().anyMatch(hook -> leads(hook, map));
  }

  private boolean leads(String hook, String map) {
    return table.reached("nat", hook).stream().anyMatch(rule -> rule.maps.contains(map))
        || table.reached("filter", hook).stream().anyMatch(rule -> rule.maps.contains(map));
  }

  /** What is wrong beyond single frontends. */
  List<String> defects() {
    List<String> defects = new ArrayList<>();
    for (String map : List.of(SERVICES, NODE_PORTS)) {
      for (String hook : List.of("prerouting", "output")) {
        if (!leads(hook, map)) {
          defects.add("the " + hook + " hook does not lead to the map " + map);
        }
      }
    }
    if (!leads("output", REFUSED_SERVICES) || !leads("forward", REFUSED_SERVICES)) {
      defects.add("not all packets are looked up in the map " + REFUSED_SERVICES);
    }
    if (!leads("input", REFUSED_NODE_PORTS)) {
      defects.add("the input hook does not lead to the map " + REFUSED_NODE_PORTS);
    }
    if (table.reached("nat", "postrouting").stream().noneMatch(rule -> rule.masquerades)) {
      defects.add("nothing is masqueraded");
    }
    return defects;
  }

  List<KubeProxyFrontend> frontends() {
    List<KubeProxyFrontend> frontends = new ArrayList<>(answers.size());
    answers.forEach((place, answer) -> frontends.add(frontend(place, answer)));
    return frontends;
  }

  private KubeProxyFrontend frontend(Place place, Answer answer) {
    Path outside = new Path(false);
    Path inside = new Path(true);
    if (answer.target != null) {
      outside.follow(answer.target);
      inside.follow(answer.target);
    }
    return new KubeProxyFrontend(
        place.address(),
        place.port(),
        place.protocol(),
        answer.service,
        answer.refuses,
        outside.found,
        inside.found,
        List.copyOf(outside.flaws));
  }

  /** The way of packets from one chain on: from the node and its pods, or from elsewhere. */
  private final class Path {
    private final boolean inside;
    private final List<BackendAddress> found = new ArrayList<>();
    private final Set<String> flaws = new HashSet<>();
    private final Set<String> under = new HashSet<>();

    Path(boolean inside) {
      this.inside = inside;
    }

    void follow(String name) {
      NftChain chain = table.chain(name);
      if (chain == null || !under.add(name)) {
        flaws.add("chain " + name + " cannot be followed");
        return;
      }
      for (NftRule rule : chain.rules) {
        boolean shortCut = rule.bySource && rule.ends;
        if (rule.byAffinity || shortCut && !inside) {
          continue;
        }
        take(name, rule);
        if (shortCut || rule.ends && !rule.bySource) {
          break;
        }
      }
      under.remove(name);
    }

    private void take(String name, NftRule rule) {
      found.addAll(rule.endpoints);
      if (rule.uneven) {
        flaws.add("chain " + name + " does not give every endpoint the same share");
      }
      // A chain that packets come back from only marks them.
      if (rule.ends) {
        rule.chains.forEach(this::follow);
      }
      if (rule.refuses) {
        flaws.add("chain " + name + " refuses packets");
      }
    }
  }
}
