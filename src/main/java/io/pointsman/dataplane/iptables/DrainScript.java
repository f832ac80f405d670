// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.iptables.SavedTables.SavedJump;
import io.pointsman.kernel.CommandRunner;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/**
 * What iptables-restore has to read so that no new flow enters the chains any more. What lets
 * established flows be forwarded stays, and so do the jumps that somebody else serves by now.
 */
final class DrainScript implements CommandRunner.Input {
  /** Needed by flows that are on their way. */
  private static final Set<String> KEPT = Set.of(ChainNames.POSTROUTING, ChainNames.FORWARD);

  private final SavedTables saved;
  private final List<SavedJump> gone;

  DrainScript(SavedTables saved) {
    this.saved = saved;
    this.gone =
        saved.jumps.stream()
            .filter(jump -> !KEPT.contains(jump.rule().target()) && !servesOthers(jump))
            .toList();
  }

  private boolean servesOthers(SavedJump jump) {
    return saved.handedOver()
        || saved.servesIpvs()
            && (jump.table() == Table.NAT
                || jump.rule().target().equals(ChainNames.PROXY_FIREWALL));
  }

  /** Whether there is nothing to do. */
  boolean isEmpty() {
    return saved.phase() == Phase.ABSENT || saved.phase() == Phase.DRAINING && gone.isEmpty();
  }

  @Override
  public void writeTo(Appendable out) throws IOException {
    Lines lines = new Lines(out);
    lines.table(Table.NAT);
    delete(lines, Table.NAT);
    lines.chain(ChainNames.STATE);
    lines.append(
        ChainNames.STATE,
        StateRules.of(Phase.DRAINING, saved.before(Sysctls.ROUTE_LOCALNET.text())));
    lines.commit();
    lines.table(Table.FILTER);
    delete(lines, Table.FILTER);
    lines.commit();
  }

  private void delete(Lines lines, Table table) throws IOException {
    for (SavedJump jump : gone) {
      if (jump.table() == table) {
        lines.delete(jump.from(), jump.text());
      }
    }
  }
}
