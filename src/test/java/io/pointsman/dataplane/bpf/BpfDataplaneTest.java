// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.NumberedServices.backends;
import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.port;
import static io.pointsman.dataplane.bpf.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.BpfLink;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.Clock;
import io.pointsman.kernel.Commands;
import io.pointsman.kernel.LinkInfo;
import io.pointsman.kernel.TcDirection;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole dataplane, from nothing to nothing. */
@Execution(ExecutionMode.CONCURRENT)
@ParameterizedClass(name = "tcx {0}")
@ValueSource(booleans = {true, false})
class BpfDataplaneTest extends BpfDataplaneFixture {
  BpfDataplaneTest(boolean tcx) {
    super(tcx);
  }

  @Test
  void walksThroughItsPhases() {
    DesiredState desired = desired(ports(50, 4));
    assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
    assertThat(dataplane.drain().drained()).isTrue();
    here(() -> dataplane.prepare(desired));
    assertThat(dataplane.phase()).isEqualTo(Phase.PREPARED);
    assertProven(desired);
    dataplane.activate();
    assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
    assertThat(dataplane.counters()).containsOnlyKeys(Counter.values()).containsValue(0L);
    assertThat(dataplane.drain().flows()).isZero();
    assertThat(dataplane.phase()).isEqualTo(Phase.DRAINING);
    run(dataplane::remove);
    assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
    assertNothingLeft();
    run(dataplane::remove);
  }

  /** As an agent leaves it that is killed while it removes, or before it has pinned all maps. */
  @Test
  void whatIsLeftWithoutAPhaseIsRemoved() throws IOException {
    here(() -> dataplane.prepare(desired(ports(5, 2))));
    dataplane.close();
    Files.delete(pins.resolve(Layout.CONFIG));
    assertThat(dataplane.phase()).isEqualTo(Phase.PREPARED);
    run(dataplane::remove);
    assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
    assertNothingLeft();
  }

  /** Somebody has deleted the pins; links go with them, filters do not. */
  @Test
  void whatIsLeftWithoutPinsIsFoundAndRemoved() {
    here(() -> dataplane.prepare(desired(ports(5, 2))));
    assertThat(here(dataplane::leftovers)).contains("pins in " + pins);
    dataplane.close();
    Commands.run("rm", "-r", root.toString());
    assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
    List<String> filters =
        List.of("tc filter at ingress of device uplink", "tc filter at egress of device uplink");
    if (tcx) {
      assertThat(here(dataplane::leftovers)).isEmpty();
    } else {
      assertThat(here(dataplane::leftovers)).containsAll(filters);
    }
    run(dataplane::remove);
    assertThat(here(dataplane::leftovers)).isEmpty();
    assertNothingLeft();
  }

  @Test
  void isAdoptedByTheNextAgentWithoutAWrite() {
    DesiredState desired = desired(ports(50, 4));
    here(() -> dataplane.prepare(desired));
    dataplane.activate();
    dataplane.close();
    assertThat(here(() -> attached(CONNECT4))).isOne();
    LinkInfo before = link("connect4");
    dataplane = new BpfDataplane(options, DataplaneSettings.DEFAULTS);
    assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
    assertThat(here(() -> dataplane.prepare(desired))).isEqualTo(SyncResult.NONE);
    assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
    assertProven(desired);
    assertThat(here(() -> attached(CONNECT4))).isOne();
    // Its programs are this agent's now, at every socket and device, and were never detached.
    assertThat(link("connect4").id()).isEqualTo(before.id());
    assertThat(link("connect4").programId()).isNotEqualTo(before.programId());
    assertThat(here(() -> programs("uplink", TcDirection.INGRESS))).containsExactly("ingress");
    assertThat(here(() -> programs("uplink", TcDirection.EGRESS))).containsExactly("egress");
  }

  @Test
  void followsChanges() {
    List<ServicePort> ports = new ArrayList<>(ports(50, 4));
    here(() -> dataplane.prepare(desired(ports)));
    ServicePort after = port(7, backends(4000, 9));
    ServicePort added = port(99, backends(5000, 2));
    SyncResult result =
        here(
            () ->
                dataplane.apply(
                    new Delta(
                        List.of(new Change(ports.get(7), after), new Change(null, added)),
                        List.of(ports.get(8)))));
    assertThat(result.written()).isEqualTo(9 + 1 + 2 + 1);
    assertThat(result.deleted()).isEqualTo(4 + 1 + 4);
    ports.set(7, after);
    ports.add(added);
    ports.remove(8);
    assertProven(desired(ports));
  }

  @Test
  void saysWhatToDoFirst() {
    assertThatThrownBy(() -> dataplane.apply(new Delta(List.of(), List.of())))
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("prepare it first");
    assertThatThrownBy(
            () -> new BpfDataplane(options, new DataplaneSettings(Scheduler.MH, 30_000, 32_767)))
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("scheduler mh")
        .hasMessageContaining("random or rr");
    BpfDataplane elsewhere =
        new BpfDataplane(options.pinnedUnder(Path.of("/tmp/nowhere")), DataplaneSettings.DEFAULTS);
    assertThatThrownBy(() -> here(() -> elsewhere.prepare(desired(List.of()))))
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("/tmp/nowhere");
    Commands.run("rm", "-rf", "/tmp/nowhere");
  }

  @Test
  void countsTheFlowsThatAreLeft() {
    here(() -> dataplane.prepare(desired(List.of())));
    long now = Clock.bootNanos();
    long minute = 60_000_000_000L;
    flow(1, 6, Layout.CT_FORWARD, now); // counts
    flow(2, 6, Layout.CT_FORWARD, now - 60 * minute); // counts: TCP may be silent for hours
    flow(3, 6, Layout.CT_FORWARD | Layout.CT_CLOSING, now);
    flow(4, 6, 0, now);
    flow(5, 17, Layout.CT_FORWARD, now - minute); // counts
    flow(6, 17, Layout.CT_FORWARD, now - 4 * minute);
    flow(7, 6, Layout.CT_FORWARD, now - 300 * minute);
    assertThat(dataplane.drain().flows()).isEqualTo(3);
  }

  @Test
  void keepsTheSizeOfMapsThatAreInUse() {
    DesiredState desired = desired(ports(20, 3));
    here(() -> dataplane.prepare(desired));
    dataplane.close();
    dataplane =
        new BpfDataplane(
            options.sized(new MapSizes(77, 770, 7700, 7700)), DataplaneSettings.DEFAULTS);
    assertThat(here(() -> dataplane.prepare(desired))).isEqualTo(SyncResult.NONE);
    try (BpfMap map = BpfMap.openPinned(pins.resolve("nat_fe"))) {
      assertThat(map.maxEntries()).isEqualTo(5000);
    }
  }

  private void assertNothingLeft() {
    assertThat(root).doesNotExist();
    here(
        () -> {
          for (int type : List.of(10, 11, 14, 15, 19, 20, 29, 30)) {
            assertThat(attached(type)).isZero();
          }
          assertThat(programs("uplink", TcDirection.INGRESS)).isEmpty();
          assertThat(programs("uplink", TcDirection.EGRESS)).isEmpty();
          return true;
        });
    assertThat(Commands.run("tc", "-n", sandbox.namespace(), "qdisc", "show"))
        .doesNotContain("clsact");
  }

  private void flow(int number, int protocol, int flags, long lastSeen) {
    try (BpfMap map = BpfMap.openPinned(pins.resolve("ct"));
        Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(Layout.CT_KEY_SIZE, 8);
      MemorySegment value = arena.allocate(Layout.CT_SIZE, 8);
      Layout.putInt(key, 0, number);
      Layout.putByte(key, Layout.CT_KEY_PROTO, protocol);
      Layout.putShort(value, Layout.CT_FLAGS, flags);
      Layout.putLong(value, Layout.CT_LAST_SEEN, lastSeen);
      map.update(key, value);
    }
  }

  private LinkInfo link(String name) {
    try (BpfLink link = BpfLink.openPinned(pins.resolve("links").resolve(name))) {
      return link.info();
    }
  }
}
