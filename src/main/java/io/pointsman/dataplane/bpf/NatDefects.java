// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import java.util.ArrayList;
import java.util.List;

/** Finds what is wrong inside nat_fe and nat_be beyond what their digest covers. */
final class NatDefects {
  /** No defect is worth more sentences than this; the rest is counted. */
  private static final int MAX_SENTENCES = 20;

  private final NatTable table;
  private final FrontendRows frontends;
  private final BackendRows backends;
  private final int scheduler;
  private final List<String> sentences = new ArrayList<>();
  private int untold;

  private NatDefects(NatTable table, int scheduler) {
    this.table = table;
    this.frontends = table.frontends;
    this.backends = table.backends;
    this.scheduler = scheduler;
  }

  static List<String> find(NatTable table, int scheduler) {
    NatDefects defects = new NatDefects(table, scheduler);
    for (int row = 0; row < table.frontends.size; row++) {
      defects.checkFrontend(row);
    }
    for (int set = 0; set < table.sets; set++) {
      defects.checkSet(set);
    }
    defects.checkOrphans();
    if (defects.untold > 0) {
      defects.sentences.add("nat_fe and nat_be have " + defects.untold + " more defects.");
    }
    return defects.sentences;
  }

  private void checkFrontend(int row) {
    int first = table.firstFrontend[table.setOf[row]];
    if (frontends.service[row] != frontends.service[first]
        || frontends.count[row] != frontends.count[first]
        || frontends.local[row] != frontends.local[first]
        || frontends.terminating[row] != frontends.terminating[first]) {
      tell(name(row) + " and " + name(first) + " use the same backend set for two Services.");
    }
    if (frontends.scope(row) != 0
        || frontends.affinity[row] != 0
        || frontends.flags[row] != 0
        || frontends.type[row] >>> 8 != scheduler) {
      tell(name(row) + " has a scheduler or flags that were not set here.");
    }
    boolean wildcard = new Address(frontends.high[row], frontends.low[row]).isAny();
    int kind = frontends.type[row] & 0xff;
    if (wildcard != (kind == Layout.kind(io.pointsman.catalogue.FrontendKind.NODE_PORT))) {
      tell(name(row) + " is marked as what it is not (kind " + kind + ").");
    }
  }

  private void checkSet(int set) {
    int first = table.firstFrontend[set];
    int missing = 0;
    int wrong = 0;
    for (int i = 0; i < table.rows(set); i++) {
      int row = table.rowAt[table.offset[set] + i];
      if (row == NatTable.NO_ROW) {
        missing++;
      } else if (!wellFormed(row)
          || i < table.length[set] && isLocal(row) != i < frontends.local[first]) {
        wrong++;
      }
    }
    if (table.length[set] != frontends.count[first]
        || table.terminating[set] != frontends.terminating[first]) {
      tell(name(first) + " counts more backends than the map can hold.");
    }
    if (missing > 0) {
      tell("nat_be lacks " + missing + " of the backends of " + name(first) + ".");
    }
    if (wrong > 0) {
      tell("nat_be has " + wrong + " damaged backends of " + name(first) + ".");
    }
  }

  private boolean wellFormed(int row) {
    return backends.inner[row] == backends.set[row]
        && backends.weight(row) == 1
        && (backends.flags[row] & ~Layout.BE_LOCAL) == 0;
  }

  private boolean isLocal(int row) {
    return backends.flags[row] == Layout.BE_LOCAL;
  }

  private void checkOrphans() {
    int orphans = 0;
    for (int row = 0; row < backends.size; row++) {
      orphans += table.position(row) < 0 ? 1 : 0;
    }
    if (orphans > 0) {
      tell("nat_be holds " + orphans + " backends that no frontend uses.");
    }
  }

  private void tell(String sentence) {
    if (sentences.size() < MAX_SENTENCES) {
      sentences.add(sentence);
    } else {
      untold++;
    }
  }

  private String name(int row) {
    Address address = new Address(frontends.high[row], frontends.low[row]);
    return "nat_fe "
        + (address.isV4() ? address.toString() : "[" + address + "]")
        + ":"
        + frontends.port(row)
        + "/"
        + frontends.protocol(row);
  }
}
