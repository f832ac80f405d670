// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.AddressRange;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.iptables.RuleReader.Found;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds what is wrong in one family's tables beyond what their digest covers. */
final class TableDefects {
  /** No defect is worth more sentences than this; the rest is counted. */
  private static final int MAX_SENTENCES = 20;

  private final SavedTables saved;
  private final FamilyTables wanted;
  private final List<String> sentences = new ArrayList<>();

  /** Chains that no frontend leads to, and that stay because others do. */
  private final Set<SavedChain> used = new HashSet<>();

  private int untold;

  private TableDefects(SavedTables saved, FamilyTables wanted) {
    this.saved = saved;
    this.wanted = wanted;
  }

  static List<String> find(SavedTables saved, FamilyTables wanted) {
    TableDefects defects = new TableDefects(saved, wanted);
    if (!saved.hidden().isEmpty()) {
      // All else would be guesses.
      return saved.hidden().stream().map(wanted.reader()::hidden).toList();
    }
    defects.checkPhase();
    defects.checkFrontends();
    defects.used.addAll(UsedChains.find(saved, chain -> !chain.reached));
    for (Table table : Table.values()) {
      saved.chains(table).values().forEach(chain -> defects.checkChain(table, chain));
    }
    defects.checkFixed();
    defects.checkDoors();
    if (defects.untold > 0) {
      defects.sentences.add("The tables have " + defects.untold + " more defects.");
    }
    return defects.sentences;
  }

  private void checkPhase() {
    if (saved.phase() != wanted.phase()) {
      tell(
          "The phase in "
              + ChainNames.STATE
              + " is "
              + saved.phase().name().toLowerCase(Locale.ROOT)
              + ", not "
              + wanted.phase().name().toLowerCase(Locale.ROOT));
    }
    if (wanted.phase() == Phase.ACTIVE) {
      for (FixedRules.Jump jump : FixedRules.JUMPS) {
        if (!saved.has(jump)) {
          tell(
              jump.table().text()
                  + " "
                  + jump.from()
                  + " lacks the jump to "
                  + jump.parsed().target());
        }
      }
      if (!saved.unguarded().isEmpty()) {
        tell(
            "filter "
                + saved.unguarded().getFirst().from()
                + " lacks the rule that keeps others from what listens on loopback");
      }
    }
  }

  private void checkFrontends() {
    for (Found found : saved.rules.found) {
      SavedChain target = found.target();
      if (target != null) {
        target.collect(new ArrayList<>());
      }
    }
  }

  private void checkChain(Table table, SavedChain chain) {
    String name = table.text() + " " + chain.name;
    if (!chain.declared) {
      tell(name + " is jumped to but not there");
    } else if (chain.unknown != null && !notOurs(table, chain)) {
      tell(name + " has a rule that no Service needs: " + chain.unknown);
    } else if (table == Table.NAT && ChainNames.ofPort(chain.name)) {
      checkPort(name, chain);
    } else if (chain.misplaced) {
      tell(name + " has rules behind the one for node ports, which must be last");
    }
  }

  /** While KUBE-SERVICES serves others, it is theirs, and so are the chains that go with it. */
  private boolean notOurs(Table table, SavedChain chain) {
    return !wanted.services().equals(ChainNames.SERVICES)
        && (table == Table.NAT && chain.name.equals(ChainNames.SERVICES) || isFixed(table, chain));
  }

  private static boolean isFixed(Table table, SavedChain chain) {
    return FixedRules.CHAINS.getOrDefault(table, Map.of()).containsKey(chain.name);
  }

  private void checkPort(String name, SavedChain chain) {
    if (!chain.reached && !used.contains(chain)) {
      tell(name + " is there but no frontend leads to it");
    }
    String flaw = chain.flaw();
    if (flaw != null) {
      tell(name + " " + flaw);
    } else if (chain.name.startsWith(ChainNames.SERVICE_PREFIX) && !isLocalTo(chain.localRange())) {
      tell(name + " does not masquerade what comes from outside the cluster as it must");
    } else if (chain.hasShortCut()) {
      tell(name + " sends what comes from this node another way");
    } else if (!chain.mode.isEmpty() && chain.mode.equals("nth") != wanted.inTurn()) {
      tell(name + " chooses endpoints by " + chain.mode + ", which is another scheduler");
    }
  }

  private boolean isLocalTo(@Nullable String range) {
    return Objects.equals(range, wanted.localRange().map(AddressRange::toString).orElse(null));
  }

  private void checkFixed() {
    boolean occupied = !wanted.services().equals(ChainNames.SERVICES);
    FixedRules.CHAINS.forEach(
        (table, chains) ->
            chains.forEach(
                (name, rules) -> {
                  SavedChain chain = saved.find(table, name);
                  if (chain == null || !occupied && !chain.hash.sameList(ChainHash.of(rules))) {
                    tell(table.text() + " " + name + " has other rules than it must have");
                  }
                }));
    FixedRules.SHARED.forEach(
        (table, chains) -> {
          for (String name : chains) {
            if (saved.find(table, name) == null) {
              tell(table.text() + " " + name + " is missing");
            }
          }
        });
  }

  private void checkDoors() {
    SavedChain chain = saved.find(Table.NAT, wanted.services());
    if (chain == null || !chain.doors().sameSet(ChainHash.of(wanted.doors()))) {
      tell("nat " + wanted.services() + " does not lead the node-port addresses to node ports");
    }
  }

  private void tell(String sentence) {
    if (sentences.size() < MAX_SENTENCES) {
      sentences.add(saved.family.text() + ": " + sentence + ".");
    } else {
      untold++;
    }
  }
}
