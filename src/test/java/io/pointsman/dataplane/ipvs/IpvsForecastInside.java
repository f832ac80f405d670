// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.Services.desired;
import static io.pointsman.dataplane.ipvs.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.PlannedWrites;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is counted beforehand is what is there afterwards. */
public class IpvsForecastInside extends IpvsFixture {
  private final DesiredState desired = desired(ports(12, 4));

  @Test
  void countsWhatComesAndGoes() {
    List<String> before = everything();
    PlannedWrites planned = here(() -> dataplane.plan(desired));
    assertThat(here(() -> dataplane.holdings())).isEqualTo(Holdings.NONE);
    assertThat(everything()).containsExactlyElementsOf(before);
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ABSENT);

    here(() -> dataplane.prepare(desired));
    run(dataplane::activate);
    List<String> serving = everything();
    assertThat(here(() -> dataplane.holdings())).isEqualTo(new Holdings(planned.written(), 0));
    assertThat(planned.deleted()).isZero();
    assertThat(planned.memoryBytes()).isPositive();
    PlannedWrites none = here(() -> dataplane.plan(desired));
    assertThat(none.written()).isZero();
    assertThat(none.deleted()).isZero();
    assertThat(here(() -> open(Scheduler.LC).plan(desired)).written())
        .as("each virtual server is edited")
        .isEqualTo(serving.stream().filter(line -> line.startsWith("-A -")).count());
    PlannedWrites fewer = here(() -> dataplane.plan(desired(ports(11, 4))));
    assertThat(fewer.written()).isZero();
    assertThat(fewer.deleted()).isGreaterThan(5);
    assertThat(everything()).containsExactlyElementsOf(serving);
  }
}
