// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Protocol;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.Clock;
import io.pointsman.kernel.MapInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is counted beforehand is what is written afterwards. */
class BpfForecastTest extends BpfDataplaneFixture {
  /** The devices uplink and bridge0, and the node itself. */
  private static final int DEVICE_ENTRIES = 3;

  BpfForecastTest() {
    super(true);
  }

  @Test
  void countsWhatIsWrittenAndWhatGoes() {
    DesiredState first = desired(ports(50, 4));
    assertThat(here(() -> dataplane.holdings())).isEqualTo(Holdings.NONE);
    PlannedWrites planned = here(() -> dataplane.plan(first));
    assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
    assertThat(Files.exists(options.pinRoot())).isFalse();

    SyncResult written = here(() -> dataplane.prepare(first));
    assertThat(planned.written()).isEqualTo(written.written() + DEVICE_ENTRIES);
    assertThat(planned.deleted()).isZero();
    assertThat(here(() -> dataplane.holdings())).isEqualTo(new Holdings(planned.written(), 0));

    DesiredState next = desired(ports(40, 5));
    PlannedWrites change = here(() -> dataplane.plan(next));
    assertThat(here(() -> dataplane.plan(next))).as("nothing was written").isEqualTo(change);
    SyncResult changed = here(() -> dataplane.prepare(next));
    // The phase is an entry more: to become active.
    assertThat(change.written()).isEqualTo(changed.written() + 1);
    assertThat(change.deleted()).isEqualTo(changed.deleted());
    dataplane.activate();
    PlannedWrites none = here(() -> dataplane.plan(next));
    assertThat(none.written()).isZero();
    assertThat(none.deleted()).isZero();
  }

  @Test
  void countsFlowsThatAreInUse() {
    here(() -> dataplane.prepare(desired(ports(1, 1))));
    run(
        () -> {
          try (FlowMap map = new FlowMap(pins.resolve(Layout.CT))) {
            add(map, 40_000, Layout.CT_FORWARD);
            add(map, 40_001, Layout.CT_FORWARD | Layout.CT_CLOSING);
            add(map, 40_002, Layout.CT_FORWARD | Layout.CT_STACK);
            add(map, 40_003, 0);
          }
        });
    assertThat(here(() -> dataplane.holdings()).flows()).isOne();
  }

  private static void add(FlowMap map, int clientPort, int flags) {
    Address client = Address.parse("198.51.100.9");
    Address frontend = Address.parse("198.51.100.7");
    map.add(
        new FlowKey(Layout.CT_INGRESS, client, clientPort, frontend, 30_080, Protocol.TCP.number()),
        new FlowEntry(Address.parse("10.244.1.5"), 8080, flags, 0, Clock.bootNanos()));
  }

  @Test
  void estimatesTheMemoryThatTheKernelCounts() {
    DesiredState desired = desired(ports(400, 8));
    long planned = here(() -> dataplane.plan(desired)).memoryBytes();
    here(() -> dataplane.prepare(desired));
    List<String> maps = Programs.definitions(options.sizes()).stream().map(MapInfo::name).toList();
    long counted = maps.stream().mapToLong(this::counted).sum();
    assertThat((double) planned).isCloseTo(counted, within(0.05 * counted));
  }

  @Test
  void mapsOfTheUsualSizeTakeWhatTheirDocumentationSays() {
    long bytes = MapMemory.bytes(Programs.definitions(MapSizes.DEFAULTS), Map.of());
    assertThat(bytes).isBetween(100L << 20, 150L << 20);
  }

  /** The kernel's own figure. */
  private long counted(String map) {
    try (BpfMap pinned = BpfMap.openPinned(options.pinRoot().resolve("v1").resolve(map));
        Stream<String> lines = Files.lines(Path.of("/proc/self/fdinfo", "" + pinned.fd()))) {
      return lines
          .filter(line -> line.startsWith("memlock:"))
          .mapToLong(line -> Long.parseLong(line.substring("memlock:".length()).strip()))
          .sum();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
