// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.Families;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.iptables.RuleReader.Found;
import io.pointsman.dataplane.kubeproxy.DeadRules;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads what a kube-proxy in its iptables mode has in the tables, with the features that Pointsman
 * does not write: Local policies, source ranges, affinity.
 */
public final class KubeProxyTables implements KubeProxySource {
  /** The chains that serve all Services. */
  private static final Map<String, Set<String>> SHARED =
      Map.of(
          Table.NAT.text(),
          Set.of(
              ChainNames.SERVICES,
              ChainNames.NODE_PORTS,
              ChainNames.POSTROUTING,
              ChainNames.MARK_MASQ),
          Table.FILTER.text(),
          Set.of(
              ChainNames.SERVICES,
              ChainNames.EXTERNAL_SERVICES,
              ChainNames.FORWARD,
              ChainNames.NODE_PORTS,
              ChainNames.PROXY_FIREWALL));

  private final CommandRunner commands;

  /** One family's tables, and what keeps packets from their rules. */
  private record Saved(SavedTables tables, DeadRules dead) {}

  /** Reads where these commands run. */
  public KubeProxyTables(CommandRunner commands) {
    this.commands = commands;
  }

  @Override
  public List<KubeProxyState> read() {
    return read(tool -> line -> {});
  }

  /**
   * The same for two.
   *
   * @param beside what takes the lines of each program, too
   */
  public List<KubeProxyState> read(Function<Iptables, Consumer<String>> beside) {
    try {
      List<KubeProxyState> states = new ArrayList<>();
      for (Variant variant : Variant.values()) {
        List<Saved> serving = serving(variant, beside);
        if (!serving.isEmpty()) {
          states.add(state(variant, serving));
        }
      }
      return states;
    } catch (CommandException e) {
      throw new DataplaneException("read kube-proxy's rules: " + e.getMessage(), e);
    }
  }

  /** The families whose tables have kube-proxy's own KUBE-SERVICES. */
  private List<Saved> serving(Variant variant, Function<Iptables, Consumer<String>> beside) {
    List<Saved> serving = new ArrayList<>();
    for (Family family : Family.values()) {
      Iptables tool = new Iptables(commands, family, variant);
      if (tool.usable()) {
        SavedTables saved = SavedTables.ofKubeProxy(Families.of(tool));
        DeadRules dead = new DeadRules(SHARED);
        Consumer<String> other = beside.apply(tool);
        tool.save(
            line -> {
              saved.accept(line);
              dead.accept(line);
              other.accept(line);
            });
        // What the Iptables dataplane has is no kube-proxy's before one has taken it over.
        boolean own = saved.phase() != Phase.ABSENT && !saved.handedOver();
        if (hasServices(saved, tool) && !own && !saved.servesIpvs()) {
          for (Table table : saved.hidden()) {
            throw new DataplaneException(HiddenTables.tell(tool, table.text()), null);
          }
          serving.add(new Saved(saved, dead));
        }
      }
    }
    return serving;
  }

  private static boolean hasServices(SavedTables saved, Iptables tool) {
    return saved.find(Table.NAT, ChainNames.SERVICES) != null
        || saved.conceal(tool, Table.NAT, ChainNames.SERVICES);
  }

  private static KubeProxyState state(Variant variant, List<Saved> serving) {
    List<KubeProxyFrontend> frontends = new ArrayList<>();
    List<String> defects = new ArrayList<>();
    List<String> foreign = new ArrayList<>();
    for (Saved each : serving) {
      SavedTables saved = each.tables();
      String family = saved.family.text() + ": ";
      List<KubeProxyFrontend> found = new Reading(saved).frontends();
      boolean nodePorts = found.stream().anyMatch(it -> it.address().isAny());
      defects(saved, nodePorts).forEach(it -> defects.add(family + it + "."));
      each.dead().sentences().forEach(it -> defects.add(family + it + "."));
      foreign(each).forEach(it -> foreign.add(family + it + "."));
      if (saved.entered()) {
        frontends.addAll(found);
      }
    }
    return new KubeProxyState(KubeProxyMode.IPTABLES, variant.text(), frontends, defects, foreign);
  }

  private static List<String> defects(SavedTables saved, boolean nodePorts) {
    List<String> defects = new ArrayList<>();
    for (FixedRules.Jump jump : FixedRules.JUMPS) {
      if (!saved.has(jump)) {
        String target = jump.parsed().target();
        defects.add(jump.table().text() + " " + jump.from() + " lacks the jump to " + target);
      }
    }
    need(defects, saved, ChainNames.MARK_MASQ, "MARK", "marks nothing to be masqueraded");
    need(defects, saved, ChainNames.POSTROUTING, "MASQUERADE", "masquerades nothing");
    SavedChain services = saved.find(Table.NAT, ChainNames.SERVICES);
    if (nodePorts && (services == null || services.doors().rules() == 0)) {
      defects.add("nat " + ChainNames.SERVICES + " leads nothing to node ports");
    }
    return defects;
  }

  /** Rules in the chains of all Services that kube-proxy does not write. */
  private static List<String> foreign(Saved saved) {
    List<String> foreign = new ArrayList<>();
    for (Table table : Table.values()) {
      for (SavedChain chain : saved.tables().chains(table).values()) {
        boolean ofPort = table == Table.NAT && ChainNames.ofPort(chain.name);
        String unknown = chain.unknown;
        boolean dead = unknown != null && saved.dead().has(table.text(), chain.name, unknown);
        if (!ofPort && chain.declared && unknown != null && !dead) {
          foreign.add(table.text() + " " + chain.name + " has a foreign rule, '" + unknown + "'");
        }
      }
    }
    return foreign;
  }

  private static void need(
      List<String> defects, SavedTables saved, String name, String target, String otherwise) {
    SavedChain chain = saved.find(Table.NAT, name);
    if (chain == null || !chain.has(target)) {
      defects.add("nat " + name + " " + otherwise);
    }
  }

  /** One family's rules being put together: what nat translates, and what filter refuses. */
  private static final class Reading {
    private final Map<Place, Answer> answers = new LinkedHashMap<>();

    private record Place(Address address, int port, int protocol) {}

    /** What is found of a place. */
    private static final class Answer {
      private @Nullable SavedChain target;
      private boolean refuses;
      private String words = "";
    }

    Reading(SavedTables saved) {
      for (Found found : saved.rules.found) {
        if (found.staged()) {
          continue;
        }
        Answer answer =
            answers.computeIfAbsent(
                new Place(found.address(), found.port(), found.protocol().number()),
                place -> new Answer());
        if (found.target() == null) {
          answer.refuses = true;
        } else if (answer.target == null) {
          answer.target = found.target(); // of two rules the first is followed
        }
        if (answer.words.isEmpty()) {
          answer.words = found.words();
        }
      }
    }

    List<KubeProxyFrontend> frontends() {
      List<KubeProxyFrontend> frontends = new ArrayList<>(answers.size());
      answers.forEach((place, answer) -> frontends.add(frontend(place, answer)));
      return frontends;
    }

    private static KubeProxyFrontend frontend(Place place, Answer answer) {
      List<BackendAddress> outside = new ArrayList<>();
      List<BackendAddress> inside = new ArrayList<>();
      List<String> flaws = new ArrayList<>();
      SavedChain target = answer.target;
      if (target != null) {
        target.collect(outside);
        target.collectInside(inside);
        Set<SavedChain> chains = new HashSet<>();
        target.collectChains(chains);
        chains.forEach(chain -> examine(chain, flaws));
      }
      // The words begin with the name: "default/web:http cluster IP".
      int end = answer.words.indexOf(' ');
      String service = end < 0 ? answer.words : answer.words.substring(0, end);
      return new KubeProxyFrontend(
          place.address(),
          place.port(),
          place.protocol(),
          service,
          answer.refuses,
          outside,
          inside,
          flaws);
    }

    private static void examine(SavedChain chain, List<String> flaws) {
      String flaw = chain.flaw();
      if (!chain.declared) {
        flaws.add("nat " + chain.name + " is jumped to but not there");
      } else if (chain.unknown != null) {
        flaws.add("nat " + chain.name + " has a foreign rule, '" + chain.unknown + "'");
      } else if (flaw != null) {
        flaws.add("nat " + chain.name + " " + flaw);
      }
    }
  }
}
