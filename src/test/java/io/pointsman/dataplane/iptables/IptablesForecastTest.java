// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.RandomServices.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.Iptables.Variant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What is counted beforehand is what is written afterwards. */
class IptablesForecastTest extends IptablesFixture {
  private static final DesiredState FEWER = desired(List.of(Samples.WEB, Samples.WEB_6));

  @ParameterizedTest
  @EnumSource(Variant.class)
  void countsTheRulesThatComeAndGo(Variant variant) {
    inside(
        () -> {
          addForeign(variant);
          List<String> before = saved(variant);
          try (IptablesDataplane dataplane = open(variant)) {
            PlannedWrites planned = dataplane.plan(ALL);
            assertThat(dataplane.holdings()).isEqualTo(Holdings.NONE);
            assertThat(saved(variant)).isEqualTo(before);
            assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);

            dataplane.prepare(ALL);
            dataplane.activate();
            long rules = rules(saved(variant)) - rules(before);
            // A chain without rules counts as one.
            assertThat(planned.written()).isEqualTo(rules + empty(saved(variant)) - empty(before));
            assertThat(planned.deleted()).isZero();
            assertThat(planned.memoryBytes())
                .isBetween(
                    RuleMemory.bytes(variant, rules - 5), RuleMemory.bytes(variant, rules + 5));

            PlannedWrites fewer = dataplane.plan(FEWER);
            SyncResult changed = dataplane.prepare(FEWER);
            assertThat(fewer.written()).isEqualTo(changed.written());
            assertThat(fewer.deleted()).isEqualTo(changed.deleted());
            assertThat(dataplane.plan(FEWER).written()).isZero();

            List<String> serving = saved(variant);
            Holdings held = dataplane.holdings();
            assertThat(saved(variant)).isEqualTo(serving);
            dataplane.remove();
            assertThat(held.entries()).isEqualTo(rules(serving) - rules(saved(variant)));
          }
        });
  }

  private static long rules(List<String> lines) {
    return lines.stream().filter(line -> line.startsWith("-A ")).count();
  }

  /** How many chains of somebody's own have no rule. */
  private static long empty(List<String> lines) {
    Set<String> empty = new HashSet<>();
    int table = 0;
    for (String line : lines) {
      if (line.startsWith("*")) {
        table++;
      } else if (line.endsWith(" -")) {
        empty.add(table + line.substring(1, line.length() - 2));
      } else if (line.startsWith("-A ")) {
        empty.remove(table + line.split(" ", 3)[1]);
      }
    }
    return empty.size();
  }
}
