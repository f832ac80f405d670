// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.nftables.NftTable.NftChain;
import io.pointsman.dataplane.nftables.NftTable.NftEntry;
import io.pointsman.dataplane.nftables.NftTable.Reached;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
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

  private static final String FIREWALL = "firewall-ips";

  private static final List<String> HOOKS = List.of("prerouting", "input", "forward", "output");

  private final Address any;
  private final NftTable table;
  private final Map<String, Reached> ways = new HashMap<>();
  private final Map<Place, Answer> answers = new LinkedHashMap<>();

  private record Place(Address address, int port, int protocol) {}

  /** What is found of a place. */
  private static final class Answer {
    private @Nullable String target;
    private boolean refuses;
    private String service = "";
    private String flaw = "";
  }

  TableReading(IpFamily family, NftTable table) {
    this.any = family == IpFamily.IPV4 ? Address.ANY_V4 : Address.ANY_V6;
    this.table = table;
    for (String map : List.of(SERVICES, NODE_PORTS, REFUSED_SERVICES, REFUSED_NODE_PORTS)) {
      if (entered(map)) {
        table.map(map).forEach(entry -> accept(map, entry));
      }
    }
    table.map(FIREWALL).forEach(this::checkFirewall);
  }

  private Place place(NftEntry entry) {
    boolean nodePort = entry.key().size() == 2;
    int at = nodePort ? 0 : 1;
    JsonNode protocol = entry.key().get(at);
    return new Place(
        nodePort ? any : Json.address(entry.key().getFirst()),
        entry.key().get(at + 1).asInt(),
        Json.protocol(protocol));
  }

  /** Source ranges are not compared, but what refuses more than sources is wrong with any. */
  private void checkFirewall(NftEntry entry) {
    Answer answer = answers.get(place(entry));
    NftChain chain = entry.target() == null ? null : table.chain(entry.target());
    if (answer == null) {
      return;
    }
    if (chain == null) {
      answer.flaw = "the map " + FIREWALL + " does not lead to a chain for it";
      return;
    }
    for (NftRule rule : chain.rules) {
      if (!KnownRules.ofFirewall(rule)) {
        answer.flaw = foreign(chain.name, rule);
      }
    }
  }

  private void accept(String map, NftEntry entry) {
    Answer answer = answers.computeIfAbsent(place(entry), it -> new Answer());
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
    return way("nat", hook).rules().stream().anyMatch(rule -> rule.maps.contains(map))
        || way("filter", hook).rules().stream().anyMatch(rule -> rule.maps.contains(map));
  }

  private Reached way(String type, String hook) {
    return ways.computeIfAbsent(type + "-" + hook, key -> table.reached(type, hook));
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
    if (way("nat", "postrouting").rules().stream().noneMatch(rule -> rule.masquerades)) {
      defects.add("nothing is masqueraded");
    }
    addRefusing(defects, "nat", "postrouting");
    // What goes to Services has left the chains of nat before anything at their end.
    HOOKS.forEach(hook -> addRefusing(defects, "filter", hook));
    return defects;
  }

  private void addRefusing(List<String> defects, String type, String hook) {
    String refusing = way(type, hook).refusing();
    if (refusing != null) {
      defects.add("the chain " + refusing + " refuses all that comes from the " + hook + " hook");
    }
  }

  /** Whether there are node ports, and the set of the addresses that have them is empty. */
  boolean hasNodePortsNowhere() {
    List<NftRule> doors =
        way("nat", "prerouting").rules().stream()
            .filter(rule -> rule.maps.contains(NODE_PORTS))
            .toList();
    return !table.map(NODE_PORTS).isEmpty()
        && !doors.isEmpty()
        && doors.stream().allMatch(rule -> rule.destinations.stream().anyMatch(table::isEmpty));
  }

  /** What somebody else has put where all Services are served. */
  List<String> foreign() {
    List<String> foreign = new ArrayList<>();
    for (NftChain chain : table.chains()) {
      for (NftRule rule : chain.ofPort() ? List.<NftRule>of() : chain.rules) {
        if (!KnownRules.has(chain, rule)) {
          foreign.add(foreign(chain.name, rule));
        }
      }
    }
    Collections.sort(foreign);
    return foreign;
  }

  private static String foreign(String chain, NftRule rule) {
    String does = rule.statements.isEmpty() ? "nothing" : String.join(", ", rule.statements);
    return "the chain " + chain + " has a foreign rule (" + does + ", handle " + rule.handle + ")";
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
    if (!answer.flaw.isEmpty()) {
      outside.flaws.add(answer.flaw);
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
        if (!KnownRules.ofPort(rule)) {
          flaws.add(foreign(name, rule));
          continue;
        }
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
    }
  }
}
