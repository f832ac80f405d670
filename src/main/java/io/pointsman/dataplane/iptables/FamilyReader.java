// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Iptables;

/** Reads one family's tables, and knows when one of them cannot be seen. */
final class FamilyReader {
  private final Iptables tool;
  private final IpFamily family;

  FamilyReader(Iptables tool, IpFamily family) {
    this.tool = tool;
    this.family = family;
  }

  /** What is there, with counters. */
  SavedTables save() {
    return save(new SavedTables(family));
  }

  /** The same without the rules of Service ports' own chains. */
  SavedTables skim() {
    return save(SavedTables.skimmed(family));
  }

  private SavedTables save(SavedTables saved) {
    tool.saveCounted(saved::accept);
    return saved;
  }

  /** What is told, and what is to be done, when a table cannot be seen. */
  String hidden(Table table) {
    return HiddenTables.tell(tool, table.text());
  }

  /**
   * The same tables, when all of them can be seen: what cannot is not written, or its jumps would
   * be there twice.
   *
   * @throws DataplaneException when one cannot be seen
   */
  SavedTables needAll(SavedTables saved) {
    for (Table table : saved.hidden()) {
      throw new DataplaneException(hidden(table), null);
    }
    return saved;
  }

  /** Whether Pointsman has written there, also where that cannot be seen. */
  boolean isThere(SavedTables saved) {
    return saved.phase() != Phase.ABSENT || saved.conceal(tool, Table.NAT, ChainNames.STATE);
  }
}
