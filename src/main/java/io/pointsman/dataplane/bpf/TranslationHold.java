// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.Families;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.RestoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * Keeps the kernel translating flows that conntrack knows when the rules that began them go: it
 * tracks and translates only while some rule of the family asks for it. So as long as the stack has
 * flows, a rule of our own asks and matches nothing: in a table of nftables, or in a chain of
 * iptables-legacy where the kernel has no nf_tables for the family.
 */
final class TranslationHold {
  private static final Logger LOG = Logger.getLogger(TranslationHold.class);
  private static final String TABLE = "pointsman-flows";
  private static final String NAT = "nat";
  private static final String CHAIN = "POINTSMAN-FLOWS";

  private final CommandRunner commands;

  TranslationHold(CommandRunner commands) {
    this.commands = commands;
  }

  /** Makes the rules of these families be there, and no others. */
  void keep(Set<IpFamily> families) {
    for (IpFamily family : IpFamily.values()) {
      boolean wanted = families.contains(family);
      try {
        keep(family, wanted);
      } catch (CommandException | RestoreException e) {
        if (wanted) {
          // Other rules of the node may keep it as a rule, as those of a CNI plugin.
          LOG.warnf("Flows from before may end with the rules that began them: %s", e.getMessage());
        } else {
          // It harms nobody, and goes with the dataplane.
          LOG.warnf("A rule stays that no flow needs any more: %s", e.getMessage());
        }
      }
    }
  }

  /**
   * Takes the rules of all families away.
   *
   * @throws DataplaneException when one cannot be
   */
  void remove() {
    for (IpFamily family : IpFamily.values()) {
      try {
        keep(family, false);
      } catch (CommandException | RestoreException e) {
        throw new DataplaneException("remove " + TABLE + ": " + e.getMessage(), e);
      }
    }
  }

  /** The rules that are there, in words. */
  List<String> leftovers() {
    List<String> found = new ArrayList<>();
    try {
      for (IpFamily family : IpFamily.values()) {
        if (isTable(family)) {
          found.add("nftables: table " + table(family));
        }
        Iptables legacy = legacy(family);
        if (legacy.usable() && legacy.has(NAT, CHAIN)) {
          found.add(legacy.name() + ": chain " + NAT + " " + CHAIN);
        }
      }
    } catch (CommandException e) {
      throw new DataplaneException("look for " + TABLE + ": " + e.getMessage(), e);
    }
    return found;
  }

  private void keep(IpFamily family, boolean wanted) {
    Iptables legacy = legacy(family);
    if (takesTables(family)) {
      keepTable(family, wanted);
    } else if (legacy.usable()) {
      keepChain(legacy, wanted);
    }
  }

  private boolean takesTables(IpFamily family) {
    return commands.has("nft")
        && new Iptables(commands, Families.tools(family), Variant.NFT).supported();
  }

  private Iptables legacy(IpFamily family) {
    return new Iptables(commands, Families.tools(family), Variant.LEGACY);
  }

  private static String table(IpFamily family) {
    return Families.tools(family).nft() + " " + TABLE;
  }

  private boolean isTable(IpFamily family) {
    return takesTables(family)
        && commands.lines("nft", "list", "tables").contains("table " + table(family));
  }

  private void keepTable(IpFamily family, boolean wanted) {
    boolean there = isTable(family);
    if (wanted && !there) {
      run(
          "table "
              + table(family)
              + " {\n  chain kept {\n"
              + "    type nat hook postrouting priority 300;\n"
              + "    ct state untracked accept\n  }\n}\n");
    } else if (there && !wanted) {
      run("delete table " + table(family) + "\n");
    }
  }

  private void run(String script) {
    commands.run(List.of("nft", "-f", "-"), script, line -> {});
  }

  /** Nothing needs to jump to it. */
  private static void keepChain(Iptables tool, boolean wanted) {
    boolean there = tool.has(NAT, CHAIN);
    String chain = "*" + NAT + "\n:" + CHAIN + " - [0:0]\n";
    if (wanted && !there) {
      String rule = "-A " + CHAIN + " -m conntrack --ctstate UNTRACKED -j RETURN\n";
      tool.restore(out -> out.append(chain).append(rule).append("COMMIT\n"));
    } else if (there && !wanted) {
      tool.restore(out -> out.append(chain).append("-X " + CHAIN + "\nCOMMIT\n"));
    }
  }
}
