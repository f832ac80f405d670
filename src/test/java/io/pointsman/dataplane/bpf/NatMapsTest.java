// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.NumberedServices.backend;
import static io.pointsman.dataplane.NumberedServices.backends;
import static io.pointsman.dataplane.NumberedServices.clusterIp;
import static io.pointsman.dataplane.NumberedServices.id;
import static io.pointsman.dataplane.NumberedServices.nodePort;
import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.port;
import static io.pointsman.dataplane.bpf.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.SyncResult;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Services go into the maps as they shall, and only what differs is written. */
class NatMapsTest extends NatMapsFixture {
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

  /** Only flows look for them, so they are no part of the digest. */
  @Test
  void keepsEndpointsThatTerminateBehindTheBackends() {
    ServicePort both = port(1, backends(0, 4));
    ServicePort terminating = terminating(both, 2);
    ServicePort gone = terminating(both, 1);
    maps.reconcile(desired(List.of(both)));
    maps.apply(new Delta(List.of(new Change(both, terminating)), List.of()));
    NatTable table = maps.read();
    assertThat(table.frontends.count[0]).isEqualTo(2);
    assertThat(table.frontends.terminating[0]).isEqualTo(2);
    assertThat(table.backends.size).isEqualTo(4);
    assertThat(new BpfKernelState(table, List.of()).backendCount()).isEqualTo(2);
    assertProven(desired(List.of(terminating)));
    restart(RR);
    assertThat(maps.reconcile(desired(List.of(terminating)))).isEqualTo(SyncResult.NONE);
    maps.apply(new Delta(List.of(new Change(terminating, gone)), List.of()));
    assertThat(maps.read().backends.size).isEqualTo(3);
    assertProven(desired(List.of(gone)));
    restart(RR);
    ServicePort none = terminating(both, 0);
    SyncResult result = maps.reconcile(desired(List.of(none)));
    assertThat(result).isEqualTo(new SyncResult(2 + 1, 3, List.of()));
    assertProven(desired(List.of(none)));
  }

  /** Of whose endpoints the first two stay, and some of the others terminate. */
  private static ServicePort terminating(ServicePort port, int number) {
    return new ServicePort(
        port.id(),
        port.frontends(),
        port.backends().subList(0, 2),
        port.backends().subList(2, 2 + number));
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
        .contains("default/service-500", "600 backends", "4500 of 5000", "no more room");
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

  private static ServicePort with(int number, List<Frontend> frontends) {
    return new ServicePort(id(number), frontends, backends(number * 16, 3));
  }
}
