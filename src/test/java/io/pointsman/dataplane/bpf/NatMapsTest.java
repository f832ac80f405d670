// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.bpf.Services.backend;
import static io.pointsman.dataplane.bpf.Services.backends;
import static io.pointsman.dataplane.bpf.Services.clusterIp;
import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.id;
import static io.pointsman.dataplane.bpf.Services.nodePort;
import static io.pointsman.dataplane.bpf.Services.port;
import static io.pointsman.dataplane.bpf.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfObject;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * The maps of the real object in the running kernel, without pins and without programs attached.
 */
class NatMapsTest {
  private static final int RR = 1;

  private final Arena arena = Arena.ofShared();
  private final BpfObject object = open(1000, 5000);
  private final BpfMap natFe = object.map(Layout.NAT_FE);
  private final BpfMap natBe = object.map(Layout.NAT_BE);
  private NatMaps maps = new NatMaps(natFe, natBe, RR);

  @AfterEach
  void close() {
    maps.close();
    object.close();
    arena.close();
  }

  static BpfObject open(int frontends, int backends) {
    try (InputStream elf = NatMapsTest.class.getResourceAsStream("/bpf/socket.bpf.o")) {
      BpfObject object =
          BpfObject.open(
              "socket",
              Objects.requireNonNull(elf, "socket.bpf.o was not built").readAllBytes(),
              BpfObject.Options.NONE.withMaxEntries(
                  Map.of(Layout.NAT_FE, frontends, Layout.NAT_BE, backends)));
      object.load();
      return object;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void writesEverythingAndReadsItBack() {
    DesiredState desired = desired(ports(300, 10));
    SyncResult result = maps.reconcile(desired);
    assertThat(result.written()).isEqualTo(300 + 30 + 3000);
    assertThat(result.refused()).isEmpty();
    assertProven(desired);
    BpfKernelState state = new BpfKernelState(maps.read(), List.of());
    assertThat(state.frontendCount()).isEqualTo(330);
    assertThat(state.backendCount()).isEqualTo(3300);
    List<Integer> sizes = new ArrayList<>();
    state.forEach((address, port, protocol, backends) -> sizes.add(backends.size()));
    assertThat(sizes).hasSize(330).containsOnly(10);
  }

  @Test
  void adoptsWithoutAWrite() {
    DesiredState desired = desired(ports(200, 7));
    maps.reconcile(desired);
    restart(RR);
    assertThat(maps.reconcile(desired)).isEqualTo(SyncResult.NONE);
    assertProven(desired);
  }

  @Test
  void writesOnlyWhatDiffersAfterARestart() {
    List<ServicePort> ports = new ArrayList<>(ports(100, 5));
    maps.reconcile(desired(ports));
    restart(RR);
    ports.set(3, port(3, backends(9000, 4)));
    ports.remove(50);
    DesiredState changed = desired(ports);
    SyncResult result = maps.reconcile(changed);
    assertThat(result.written()).isEqualTo(4 + 1);
    // Service 50 had a node port; both old sets go.
    assertThat(result.deleted()).isEqualTo(2 + 5 + 5);
    assertProven(changed);
  }

  @Test
  void changesOfTheSchedulerRewriteFrontendsInPlace() {
    DesiredState desired = desired(ports(100, 5));
    maps.reconcile(desired);
    int random = 0;
    restart(random);
    SyncResult result = maps.reconcile(desired);
    assertThat(result.written()).isEqualTo(110);
    assertThat(result.deleted()).isZero();
    assertThat(NatDefects.find(maps.read(), random)).isEmpty();
    assertThat(NatDefects.find(maps.read(), RR)).isNotEmpty();
  }

  @Test
  void keepsTheServicesNumberAndChangesTheSetsId() {
    ServicePort before = port(1, backends(0, 3));
    maps.reconcile(desired(List.of(before)));
    FrontendRows first = maps.read().frontends;
    ServicePort after = port(1, backends(0, 4));
    maps.apply(new Delta(List.of(new Change(before, after)), List.of()));
    FrontendRows second = maps.read().frontends;
    assertThat(second.service[0]).isEqualTo(first.service[0]);
    assertThat(second.set[0]).isNotEqualTo(first.set[0]);
    assertProven(desired(List.of(after)));
    restart(RR);
    ServicePort later = port(1, backends(0, 2));
    maps.reconcile(desired(List.of(later)));
    FrontendRows third = maps.read().frontends;
    assertThat(third.service[0]).isEqualTo(first.service[0]);
    assertThat(third.set[0]).isNotIn(first.set[0], second.set[0]);
  }

  @Test
  void putsLocalBackendsFirst() {
    ServicePort port = port(1, List.of(backend(1), backend(3), backend(2), backend(6)));
    maps.reconcile(desired(List.of(port)));
    NatTable table = maps.read();
    assertThat(table.frontends.local[0]).isEqualTo(2);
    assertThat(table.backends.flags[table.rowAt[0]]).isEqualTo(Layout.BE_LOCAL);
    assertThat(table.backends.flags[table.rowAt[1]]).isEqualTo(Layout.BE_LOCAL);
    assertThat(table.backends.flags[table.rowAt[3]]).isZero();
    assertProven(desired(List.of(port)));
  }

  @Test
  void movesAFrontendFromOneServiceToAnotherWithoutDeletingIt() {
    ServicePort one = with(1, List.of(clusterIp(1), nodePort(30_001)));
    ServicePort two = with(2, List.of(clusterIp(2)));
    maps.reconcile(desired(List.of(one, two)));
    ServicePort oneAfter = with(1, List.of(clusterIp(1)));
    ServicePort twoAfter = with(2, List.of(clusterIp(2), nodePort(30_001)));
    SyncResult moved =
        maps.apply(
            new Delta(List.of(new Change(two, twoAfter), new Change(one, oneAfter)), List.of()));
    assertThat(moved.deleted()).isZero();
    assertProven(desired(List.of(oneAfter, twoAfter)));
    ServicePort three = with(3, List.of(clusterIp(2), nodePort(30_001)));
    maps.apply(new Delta(List.of(new Change(null, three)), List.of(twoAfter)));
    assertProven(desired(List.of(oneAfter, three)));
  }

  @Test
  void refusesOnlyTheServiceThatDoesNotFit() {
    List<ServicePort> ports = new ArrayList<>(ports(90, 50));
    ports.add(port(500, backends(20_000, 600)));
    SyncResult result = maps.reconcile(desired(ports));
    assertThat(result.refused()).hasSize(1);
    assertThat(result.refused().getFirst().id()).isEqualTo(id(500));
    assertThat(result.refused().getFirst().reason())
        .contains("default/service-500", "600 backends", "4500 of 5000", "larger maps");
    assertProven(desired(ports.subList(0, 90)));
    // What is served stays served when its change does not fit.
    ServicePort larger = port(5, backends(30_000, 1000));
    SyncResult change = maps.apply(new Delta(List.of(new Change(ports.get(5), larger)), List.of()));
    assertThat(change.refused()).hasSize(1);
    assertProven(desired(ports.subList(0, 90)));
    // Room that the same change makes is used.
    SyncResult fits =
        maps.apply(new Delta(List.of(new Change(ports.get(5), larger)), ports.subList(10, 90)));
    assertThat(fits.refused()).isEmpty();
    List<ServicePort> left = new ArrayList<>(ports.subList(0, 10));
    left.set(5, larger);
    assertProven(desired(left));
  }

  @Test
  void refusesWhatExceedsTheFrontends() {
    List<ServicePort> ports = ports(950, 1);
    SyncResult result = maps.reconcile(desired(ports));
    assertThat(result.refused()).isNotEmpty();
    assertThat(maps.read().frontends.size).isBetween(990, 1000);
    assertThat(NatDefects.find(maps.read(), RR)).isEmpty();
  }

  @Test
  void findsAndMendsWhatWasFalsified() {
    DesiredState desired = desired(ports(100, 5));
    maps.reconcile(desired);
    NatTable table = maps.read();
    int otherSet = table.frontends.set[7];

    editFrontend(0, value -> Layout.putInt(value, Layout.FE_COUNT, 9));
    mended(desired, "lacks 4 of the backends");
    editFrontend(1, value -> Layout.putInt(value, Layout.FE_COUNT, -1));
    mended(desired, "more backends than the map can hold");
    editFrontend(2, value -> Layout.putInt(value, Layout.FE_LOCAL, 5));
    mended(desired, "damaged");
    editFrontend(3, value -> Layout.putInt(value, Layout.FE_ID, otherSet));
    mended(desired, "same backend set for two Services");
    editFrontend(4, value -> Layout.putInt(value, Layout.FE_FLAGS, 8));
    mended(desired, "scheduler or flags");
    editFrontend(5, value -> Layout.putByte(value, Layout.FE_KIND, 3));
    mended(desired, "marked as what it is not");
    editBackend(0, value -> Layout.putInt(value, Layout.BE_ID, 4711));
    mended(desired, "damaged");
    editBackend(1, value -> Layout.putShort(value, Layout.BE_WEIGHT, 0));
    mended(desired, "damaged");
    natBe.delete(backendKey(3));
    mended(desired, "lacks 1 of the backends");
    MemorySegment orphan = arena.allocate(Layout.BE_KEY_SIZE, 8);
    Layout.putBackendKey(orphan, 0, -1, 0);
    natBe.update(orphan, arena.allocate(Layout.BE_SIZE, 8));
    mended(desired, "1 backends that no frontend uses");
  }

  @Test
  void mendsWhatOnlyTheDigestShows() {
    DesiredState desired = desired(ports(50, 5));
    maps.reconcile(desired);
    editBackend(0, value -> Layout.putPort(value, Layout.BE_PORT, 1));
    assertThat(maps.read().digest()).isNotEqualTo(desired.digest());
    maps.reconcile(desired);
    assertProven(desired);
    natFe.delete(frontendKey(3));
    assertThat(maps.read().digest()).isNotEqualTo(desired.digest());
    maps.reconcile(desired);
    assertProven(desired);
    MemorySegment strange = arena.allocate(Layout.FE_KEY_SIZE, 4);
    strange.fill((byte) 7);
    natFe.update(strange, arena.allocate(Layout.FE_SIZE, 4));
    assertThat(maps.read().digest()).isNotEqualTo(desired.digest());
    maps.reconcile(desired);
    assertProven(desired);
  }

  /** Ids near the end of their range are followed by small ones that nothing in the maps has. */
  @Test
  void survivesTheEndOfItsIds() {
    List<ServicePort> ports = new ArrayList<>(ports(100, 5));
    maps.reconcile(desired(ports));
    MemorySegment orphan = arena.allocate(Layout.BE_KEY_SIZE, 8);
    Layout.putBackendKey(orphan, 0, -3, 0);
    natBe.update(orphan, arena.allocate(Layout.BE_SIZE, 8));
    restart(RR);
    for (int i = 0; i < 20; i++) {
      ports.set(i, port(i, backends(7000 + i * 16, 6)));
    }
    maps.reconcile(desired(ports));
    assertProven(desired(ports));
    for (int i = 0; i < 50; i++) {
      ServicePort after = port(30, backends(i, 3));
      maps.apply(new Delta(List.of(new Change(ports.get(30), after)), List.of()));
      ports.set(30, after);
      assertProven(desired(ports));
    }
  }

  @Test
  void followsThousandsOfRandomChanges() {
    long seed = Long.getLong("pointsman.seed", 20_260_101L);
    Random random = new Random(seed);
    Map<ServicePortId, ServicePort> now = new HashMap<>();
    maps.reconcile(desired(now.values()));
    for (int step = 0; step < 4000; step++) {
      Delta delta = randomDelta(random, now);
      SyncResult result = maps.apply(delta);
      assertThat(result.refused()).as("seed %d step %d", seed, step).isEmpty();
      DesiredState desired = desired(now.values());
      assertThat(maps.read().digest())
          .as("seed %d step %d", seed, step)
          .isEqualTo(desired.digest());
      if (step % 100 == 0) {
        assertProven(desired);
      }
      if (step % 500 == 499) {
        restart(RR);
        assertThat(maps.reconcile(desired)).isEqualTo(SyncResult.NONE);
      }
    }
  }

  private static Delta randomDelta(Random random, Map<ServicePortId, ServicePort> now) {
    List<Change> upserted = new ArrayList<>();
    List<ServicePort> removed = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      int number = random.nextInt(60);
      if (upserted.stream().anyMatch(change -> change.after().id().equals(id(number)))) {
        continue;
      }
      ServicePort before = now.get(id(number));
      if (before != null && random.nextInt(5) == 0) {
        removed.add(before);
        now.remove(id(number));
      } else if (removed.stream().noneMatch(port -> port.id().equals(id(number)))) {
        ServicePort after = randomPort(random, number);
        upserted.add(new Change(before, after));
        now.put(after.id(), after);
      }
    }
    return new Delta(upserted, removed);
  }

  private static ServicePort randomPort(Random random, int number) {
    List<Frontend> frontends = new ArrayList<>();
    frontends.add(clusterIp(number));
    for (int i = 0; i < 3; i++) {
      if (random.nextBoolean()) {
        frontends.add(nodePort(30_000 + number * 3 + i));
      }
    }
    return new ServicePort(
        id(number), frontends, backends(random.nextInt(1000), random.nextInt(12)));
  }

  private void assertProven(DesiredState desired) {
    NatTable table = maps.read();
    assertThat(NatDefects.find(table, RR)).isEmpty();
    assertThat(table.digest()).isEqualTo(desired.digest());
  }

  private void mended(DesiredState desired, String defect) {
    assertThat(NatDefects.find(maps.read(), RR)).anyMatch(found -> found.contains(defect));
    SyncResult result = maps.reconcile(desired);
    assertThat(result.written() + result.deleted()).isPositive();
    assertProven(desired);
    assertThat(maps.reconcile(desired)).isEqualTo(SyncResult.NONE);
  }

  private void restart(int scheduler) {
    maps.close();
    maps = new NatMaps(natFe, natBe, scheduler);
  }

  private static ServicePort with(int number, List<Frontend> frontends) {
    return new ServicePort(id(number), frontends, backends(number * 16, 3));
  }

  private void editFrontend(int row, java.util.function.Consumer<MemorySegment> edit) {
    edit(natFe, frontendKey(row), edit);
  }

  private void editBackend(int row, java.util.function.Consumer<MemorySegment> edit) {
    edit(natBe, backendKey(row), edit);
  }

  private void edit(
      BpfMap map, MemorySegment key, java.util.function.Consumer<MemorySegment> edit) {
    MemorySegment value = arena.allocate(map.valueSize(), 8);
    assertThat(map.lookup(key, value)).isTrue();
    edit.accept(value);
    map.update(key, value);
  }

  private MemorySegment frontendKey(int row) {
    FrontendRows rows = maps.read().frontends;
    MemorySegment key = arena.allocate(Layout.FE_KEY_SIZE, 8);
    Layout.putFrontendKey(
        key,
        0,
        new io.pointsman.catalogue.Address(rows.high[row], rows.low[row]),
        rows.port(row),
        rows.protocol(row));
    return key;
  }

  private MemorySegment backendKey(int row) {
    BackendRows rows = maps.read().backends;
    MemorySegment key = arena.allocate(Layout.BE_KEY_SIZE, 8);
    Layout.putBackendKey(key, 0, rows.set[row], rows.ordinal[row]);
    return key;
  }
}
