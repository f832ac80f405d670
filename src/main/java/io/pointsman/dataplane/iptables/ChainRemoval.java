// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Iptables.Variant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Takes chains out, picked from the lines of iptables-save as they come, and what jumps to them
 * from built-in chains. Chains of everybody else are left alone, and so is a chain that somebody
 * else's chain jumps to.
 */
public final class ChainRemoval {
  /** The chains that kube-proxy creates in its iptables and ipvs modes, by table. */
  public static final Map<String, Pattern> OF_KUBE_PROXY =
      Map.of(
          "nat",
          Pattern.compile(
              "KUBE-(SERVICES|NODEPORTS|POSTROUTING|MARK-MASQ|PROXY-CANARY|NODE-PORT|LOAD-BALANCER"
                  + "|(SVC|SVL|FW|EXT|SEP)-[A-Z0-9]+)"),
          "filter",
          Pattern.compile(
              "KUBE-(SERVICES|EXTERNAL-SERVICES|FORWARD|NODEPORTS|PROXY-FIREWALL|PROXY-CANARY"
                  + "|NODE-PORT|SOURCE-RANGES-FIREWALL|IPVS-FILTER|IPVS-OUT-FILTER)"),
          "mangle",
          Pattern.compile("KUBE-PROXY-CANARY"));

  /** Of these, the chains that the Iptables dataplane does not have. */
  public static final Map<String, Pattern> BESIDE_IPTABLES =
      Map.of(
          "nat",
          Pattern.compile("KUBE-(NODE-PORT|LOAD-BALANCER|PROXY-CANARY)"),
          "filter",
          Pattern.compile(
              "KUBE-(NODE-PORT|PROXY-CANARY"
                  + "|SOURCE-RANGES-FIREWALL|IPVS-FILTER|IPVS-OUT-FILTER)"),
          "mangle",
          Pattern.compile("KUBE-PROXY-CANARY"));

  /** Of these, the chains that the IPVS dataplane does not have. */
  public static final Map<String, Pattern> BESIDE_IPVS =
      Map.of(
          "nat",
          Pattern.compile("KUBE-(NODEPORTS|PROXY-CANARY|(SVC|SVL|FW|EXT|SEP)-[A-Z0-9]+)"),
          "filter",
          Pattern.compile(
              "KUBE-(SERVICES|EXTERNAL-SERVICES|NODEPORTS|NODE-PORT|PROXY-FIREWALL|PROXY-CANARY"
                  + "|SOURCE-RANGES-FIREWALL|IPVS-OUT-FILTER)"),
          "mangle",
          Pattern.compile("KUBE-PROXY-CANARY"));

  /** Of these, the chains that a kube-proxy in its ipvs mode does not have. */
  public static final Map<String, Pattern> OF_IPTABLES_MODE =
      Map.of(
          "nat",
          Pattern.compile("KUBE-(NODEPORTS|(SVC|SVL|FW|EXT|SEP)-[A-Z0-9]+)"),
          "filter",
          Pattern.compile("KUBE-(EXTERNAL-SERVICES|NODEPORTS)"));

  private static final Set<String> BUILT_IN =
      Set.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING");
  private static final Pattern RULE = Pattern.compile("-A (\\S+)( .*)?");

  private static final Pattern TARGET = Pattern.compile(" -[jg] (\\S+)");

  private final Map<String, Pattern> own;
  private final Map<String, OneTable> tables = new TreeMap<>();
  private final HiddenTables hidden = new HiddenTables();
  private OneTable current;

  /** Takes out the chains whose names match, by table. */
  public ChainRemoval(Map<String, Pattern> own) {
    this.own = Map.copyOf(own);
    this.current = new OneTable("", null);
  }

  /** One table while it is read. */
  private static final class OneTable {
    private final String name;
    private final @Nullable Pattern own;
    private final Set<String> chains = new TreeSet<>();

    /** Rules of built-in chains that jump to a chain to be taken out. */
    private final List<String> jumps = new ArrayList<>();

    /** Chains to be taken out that chains of others jump to, by themselves or by way of another. */
    private final Set<String> used = new HashSet<>();

    /** How many rules each chain to be taken out has. */
    private final Map<String, Integer> rules = new HashMap<>();

    /** Where each chain to be taken out jumps to. */
    private final Map<String, Set<String>> calls = new HashMap<>();

    private OneTable(String name, @Nullable Pattern own) {
      this.name = name;
      this.own = own;
    }

    private boolean owns(String chain) {
      return own != null && own.matcher(chain).matches();
    }

    /**
     * The chains that go, each before those that it jumps to; iptables has no loops. Last the one
     * that says that there is something to take away.
     */
    private List<String> callersFirst() {
      Map<String, Integer> callers = new HashMap<>();
      calls.forEach(
          (caller, called) -> {
            if (chains.contains(caller)) {
              called.forEach(each -> callers.merge(each, 1, Integer::sum));
            }
          });
      Deque<String> free = new ArrayDeque<>(chains);
      free.removeIf(callers::containsKey);
      boolean marked = free.remove(ChainNames.STATE);
      List<String> ordered = new ArrayList<>(chains.size());
      while (!free.isEmpty()) {
        String chain = free.pop();
        ordered.add(chain);
        for (String called : calls.getOrDefault(chain, Set.of())) {
          if (callers.merge(called, -1, Integer::sum) == 0 && chains.contains(called)) {
            free.add(called);
          }
        }
      }
      if (marked) {
        ordered.add(ChainNames.STATE);
      }
      return ordered;
    }

    /** The mark is worth nothing without the rule that masquerades by it. */
    private void keepWhatIsUsed() {
      if (used.contains("KUBE-MARK-MASQ")) {
        used.add("KUBE-POSTROUTING");
      }
      Deque<String> callers = new ArrayDeque<>(used);
      while (!callers.isEmpty()) {
        for (String called : calls.getOrDefault(callers.pop(), Set.of())) {
          if (used.add(called)) {
            callers.push(called);
          }
        }
      }
      chains.removeAll(used);
      jumps.removeIf(rule -> used.contains(target(rule)));
    }
  }

  /** Takes one line of iptables-save. */
  public void accept(String line) {
    if (line.startsWith("*")) {
      current =
          tables.computeIfAbsent(line.substring(1), name -> new OneTable(name, own.get(name)));
    } else if (line.startsWith(":")) {
      String chain = line.substring(1, line.indexOf(' '));
      if (current.owns(chain)) {
        current.chains.add(chain);
      }
    } else if (line.startsWith("-A ")) {
      acceptRule(line);
    } else if (line.equals("COMMIT")) {
      current.keepWhatIsUsed();
    } else {
      hidden.accept(line);
    }
  }

  private void acceptRule(String line) {
    Matcher rule = RULE.matcher(line);
    String target = target(line);
    if (rule.matches() && current.owns(rule.group(1))) {
      current.rules.merge(rule.group(1), 1, Integer::sum);
    }
    if (!rule.matches() || !current.owns(target)) {
      return;
    }
    if (current.owns(rule.group(1))) {
      current.calls.computeIfAbsent(rule.group(1), chain -> new HashSet<>()).add(target);
    } else if (BUILT_IN.contains(rule.group(1))) {
      current.jumps.add(line);
    } else {
      current.used.add(target);
    }
  }

  private static String target(String line) {
    Matcher target = TARGET.matcher(line);
    String last = "";
    while (target.find()) {
      last = target.group(1);
    }
    return last;
  }

  /**
   * Tables that chains may be in and that were left out: they hold rules that only nft can show.
   */
  public List<String> unreadable() {
    return hidden.names().stream().filter(own::containsKey).sorted().toList();
  }

  /** Chains that can be taken away, each with its table. */
  public List<String> chains() {
    List<String> chains = new ArrayList<>();
    tables.values().forEach(t -> t.chains.forEach(chain -> chains.add(t.name + " " + chain)));
    return chains;
  }

  /** How many rules go: those of the chains, and those that jump to one from a built-in chain. */
  public long rules() {
    long rules = 0;
    for (OneTable table : tables.values()) {
      rules += table.jumps.size();
      for (String chain : table.chains) {
        rules += table.rules.getOrDefault(chain, 0);
      }
    }
    return rules;
  }

  /** Chains that stay because somebody else uses them. */
  public List<String> kept() {
    List<String> chains = new ArrayList<>();
    tables.values().forEach(t -> t.used.forEach(chain -> chains.add(t.name + " " + chain)));
    return chains;
  }

  /** Whether there is nothing to take away. */
  public boolean isClean() {
    return tables.values().stream().allMatch(t -> t.chains.isEmpty() && t.jumps.isEmpty());
  }

  /**
   * What iptables-restore --noflush has to read so that all of it is gone: first what leads to the
   * chains, then these, callers before what they call, so many to a commit as {@link CommitSize}
   * has it. The chain POINTSMAN-STATE goes with the last commit, so that whoever comes after a
   * crash finds it and finishes this.
   */
  public CommandRunner.Input script(Variant variant) {
    return out -> {
      Lines lines = new Lines(out);
      for (OneTable table : tables.values()) {
        if (!table.jumps.isEmpty()) {
          lines.table(table.name);
          for (String rule : table.jumps) {
            out.append("-D").append(rule.substring(2)).append('\n');
          }
          lines.commit();
        }
        List<String> chains = table.callersFirst();
        if (!chains.isEmpty()) {
          lines.table(table.name);
          lines.deleteChains(table.name, chains, CommitSize.of(variant));
          lines.commit();
        }
      }
    };
  }
}
