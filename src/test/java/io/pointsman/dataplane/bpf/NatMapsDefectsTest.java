// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Frontend;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.NumberedServices;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.BpfMap;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

/** Damage in nat_fe and nat_be is found and mended. */
class NatMapsDefectsTest extends NatMapsFixture {
  @Test
  void findsAndMendsWhatWasFalsified() {
    DesiredState desired = desired(ports(100, 5));
    maps.reconcile(desired);
    MemorySegment other = arena.allocate(Layout.FE_SIZE, 8);
    assertThat(natFe.lookup(clusterIpKey(7), other)).isTrue();
    int otherSet = Layout.getInt(other, Layout.FE_ID);

    editFrontend(8, value -> Layout.putInt(value, Layout.FE_COUNT, 9));
    mended(desired, "lacks 4 of the backends");
    editFrontend(1, value -> Layout.putInt(value, Layout.FE_COUNT, -1));
    mended(desired, "more backends than the map can hold");
    editFrontend(2, value -> Layout.putInt(value, Layout.FE_LOCAL, 5));
    mended(desired, "damaged");
    editFrontend(3, value -> Layout.putInt(value, Layout.FE_ID, otherSet));
    mended(desired, "same backend set for two Services");
    editFrontend(4, value -> Layout.putInt(value, Layout.FE_FLAGS, 8));
    mended(desired, "scheduler or flags");
    editFrontend(6, value -> Layout.putShort(value, Layout.FE_TERMINATING, 3));
    mended(desired, "lacks 3 of the backends");
    editFrontend(10, value -> Layout.putShort(value, Layout.FE_TERMINATING, 1));
    mended(desired, "same backend set for two Services");
    editFrontend(9, value -> Layout.putShort(value, Layout.FE_TERMINATING, 0xffff));
    mended(desired, "more backends than the map can hold");
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
    natFe.delete(clusterIpKey(3));
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

  private void mended(DesiredState desired, String defect) {
    assertThat(NatDefects.find(maps.read(), RR)).anyMatch(found -> found.contains(defect));
    SyncResult result = maps.reconcile(desired);
    assertThat(result.written() + result.deleted()).isPositive();
    assertProven(desired);
    assertThat(maps.reconcile(desired)).isEqualTo(SyncResult.NONE);
  }

  private void editFrontend(int service, java.util.function.Consumer<MemorySegment> edit) {
    edit(natFe, clusterIpKey(service), edit);
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

  /** By number, as the map's order is random and every tenth Service has a node port as well. */
  private MemorySegment clusterIpKey(int service) {
    Frontend frontend = NumberedServices.clusterIp(service);
    MemorySegment key = arena.allocate(Layout.FE_KEY_SIZE, 8);
    Layout.putFrontendKey(
        key, 0, frontend.address(), frontend.port(), frontend.protocol().number());
    return key;
  }

  private MemorySegment backendKey(int row) {
    BackendRows rows = maps.read().backends;
    MemorySegment key = arena.allocate(Layout.BE_KEY_SIZE, 8);
    Layout.putBackendKey(key, 0, rows.set[row], rows.ordinal[row]);
    return key;
  }
}
