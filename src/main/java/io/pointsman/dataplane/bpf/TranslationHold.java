// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.CommandRunner.CommandException;
import java.util.List;
import java.util.Set;
import org.jboss.logging.Logger;

/**
 * Keeps the kernel translating flows that conntrack knows when the rules that began them go: it
 * tracks and translates only while some rule of the family asks for it. So as long as the stack has
 * flows, an nftables table of our own has a rule that matches nothing.
 */
final class TranslationHold {
  private static final Logger LOG = Logger.getLogger(TranslationHold.class);
  private static final String NAME = "pointsman-flows";

  private final CommandRunner commands = new CommandRunner();

  /** Makes the tables of these families be there, and no others. */
  void keep(Set<IpFamily> families) {
    if (!commands.has("nft")) {
      return;
    }
    try {
      List<String> present = commands.lines("nft", "list", "tables");
      for (IpFamily family : IpFamily.values()) {
        String table = (family == IpFamily.IPV4 ? "ip " : "ip6 ") + NAME;
        boolean there = present.contains("table " + table);
        if (families.contains(family) && !there) {
          run(
              "table "
                  + table
                  + " {\n  chain kept {\n"
                  + "    type nat hook postrouting priority 300;\n"
                  + "    ct state untracked accept\n  }\n}\n");
        } else if (there && !families.contains(family)) {
          run("delete table " + table + "\n");
        }
      }
    } catch (CommandException e) {
      if (!families.isEmpty()) {
        // Other rules of the node keep it as a rule, as those of the CNI plugin.
        LOG.warnf("Flows from before may end with the rules that began them: %s", e.getMessage());
      }
    }
  }

  private void run(String script) {
    commands.run(List.of("nft", "-f", "-"), script, line -> {});
  }
}
