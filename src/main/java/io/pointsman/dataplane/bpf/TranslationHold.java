// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.RestoreException;
import io.pointsman.kernel.Iptables.Variant;
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
        }
      }
    }
  }

  private void keep(IpFamily family, boolean wanted) {
    Iptables.Family tools =
        switch (family) {
          case IPV4 -> Iptables.Family.IPV4;
          case IPV6 -> Iptables.Family.IPV6;
        };
    Iptables legacy = new Iptables(commands, tools, Variant.LEGACY);
    if (commands.has("nft") && new Iptables(commands, tools, Variant.NFT).supported()) {
      keepTable(family, wanted);
    } else if (legacy.usable()) {
      keepChain(legacy, wanted);
    }
  }

  private void keepTable(IpFamily family, boolean wanted) {
    String table = (family == IpFamily.IPV4 ? "ip " : "ip6 ") + TABLE;
    boolean there = commands.lines("nft", "list", "tables").contains("table " + table);
    if (wanted && !there) {
      run(
          "table "
              + table
              + " {\n  chain kept {\n"
              + "    type nat hook postrouting priority 300;\n"
              + "    ct state untracked accept\n  }\n}\n");
    } else if (there && !wanted) {
      run("delete table " + table + "\n");
    }
  }

  private void run(String script) {
    commands.run(List.of("nft", "-f", "-"), script, line -> {});
  }

  /** Nothing needs to jump to it. */
  private static void keepChain(Iptables tool, boolean wanted) {
    boolean[] there = {false};
    tool.save(line -> there[0] |= line.startsWith(":" + CHAIN + " "));
    String chain = "*nat\n:" + CHAIN + " - [0:0]\n";
    if (wanted && !there[0]) {
      String rule = "-A " + CHAIN + " -m conntrack --ctstate UNTRACKED -j RETURN\n";
      tool.restore(out -> out.append(chain).append(rule).append("COMMIT\n"));
    } else if (there[0] && !wanted) {
      tool.restore(out -> out.append(chain).append("-X " + CHAIN + "\nCOMMIT\n"));
    }
  }
}
