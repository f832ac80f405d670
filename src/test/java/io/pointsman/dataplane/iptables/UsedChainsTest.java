// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.RandomServices.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.kernel.Iptables.Variant;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Rules of somebody else that jump to the chains of a Service port that goes. */
class UsedChainsTest extends IptablesFixture {
  private static final ServicePort WEB = Samples.WEB;
  private static final String EXTERNAL = ChainNames.external(WEB.id());
  private static final String SERVICE = ChainNames.service(WEB.id());
  private static final String ENDPOINT =
      ChainNames.endpoint(WEB.id(), ChainNames.socket(WEB.backends().getFirst()));

  static Stream<Arguments> jumps() {
    return Stream.of(Variant.values())
        .flatMap(
            variant ->
                Stream.of("MINE", "OUTPUT")
                    .flatMap(
                        from ->
                            Stream.of(EXTERNAL, SERVICE, ENDPOINT)
                                .map(to -> Arguments.of(variant, from, to))));
  }

  /** They could not be deleted, and so nothing was written any more, of any Service. */
  @ParameterizedTest
  @MethodSource("jumps")
  void chainsThatSomebodyElseUsesStayWhileAllElseGoesOn(Variant variant, String from, String to) {
    String rule = from + " -d 1.2.3.4/32 -j " + to;
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(variant)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            change(variant, "nat", (from.equals("MINE") ? ":MINE - [0:0]\n" : "") + "-A " + rule);
            dataplane.apply(new Delta(List.of(), List.of(WEB)));
            DesiredState left = desired(List.of(Samples.WEB_6, Samples.EMPTY, Samples.ONE));
            assertProven(dataplane, left);
            assertThat(saved(variant))
                .contains("-A " + rule, ":" + to + " -", ":" + ENDPOINT + " -");
            dataplane.apply(new Delta(List.of(), List.of(Samples.ONE)));
            dataplane.apply(new Delta(List.of(new Change(null, Samples.ONE)), List.of()));
            assertProven(dataplane, left);
            change(variant, "nat", "-D " + rule);
            dataplane.repair(left);
            assertThat(saved(variant)).noneMatch(line -> line.contains(ENDPOINT));
            assertProven(dataplane, left);
          }
        });
  }
}
