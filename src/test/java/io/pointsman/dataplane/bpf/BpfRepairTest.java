// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.kernel.BpfLink;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.Commands;
import io.pointsman.kernel.TcDirection;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** Damage beside the Services is found and mended. */
@ParameterizedClass(name = "tcx {0}")
@ValueSource(booleans = {true, false})
class BpfRepairTest extends BpfDataplaneFixture {
  BpfRepairTest(boolean tcx) {
    super(tcx);
  }

  @Test
  void findsAndMendsWhatIsNotInTheMapsOfServices() {
    DesiredState desired = desired(ports(20, 3));
    here(() -> dataplane.prepare(desired));
    dataplane.activate();

    unpin(pins.resolve("nat_be"));
    mended(desired, "nat_be is not pinned");
    unpin(pins.resolve("links/connect4"));
    mended(desired, "connect4");
    try (BpfLink link = BpfLink.openPinned(pins.resolve("links/sendmsg6"))) {
      link.detach();
    }
    mended(desired, "sendmsg6 is not attached");
    detachFromDevice();
    mended(desired, tcx ? "ingress on device uplink is not pinned" : "not attached to device");
    try (BpfMap map = BpfMap.openPinned(pins.resolve("node_addr"));
        Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(Layout.ADDR_SIZE, 4);
      Layout.putAddress(key, 0, Address.parse("127.0.0.1"));
      assertThat(map.delete(key)).isTrue();
    }
    mended(desired, "node_addr");
    try (BpfMap map = BpfMap.openPinned(pins.resolve("device"));
        Arena arena = Arena.ofConfined()) {
      assertThat(map.delete(arena.allocate(4, 4))).isTrue();
    }
    mended(desired, "map device");
    try (BpfMap map = BpfMap.openPinned(pins.resolve("config"))) {
      new Config(Phase.ACTIVE, new MasqueradeRange(1, 2), 3, 4, 5, 6, 0).write(map);
    }
    mended(desired, "config");
    assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
  }

  private void mended(DesiredState desired, String defect) {
    KernelState before = here(() -> dataplane.read());
    assertThat(before.defects()).anyMatch(found -> found.contains(defect));
    here(() -> dataplane.repair(desired));
    assertProven(desired);
  }

  private void detachFromDevice() {
    if (tcx) {
      int index = here(() -> index("uplink"));
      unpin(pins.resolve("links/ingress-" + index));
      // The kernel lets go of a link later, by a worker.
      await().until(() -> here(() -> programs("uplink", TcDirection.INGRESS)).isEmpty());
    } else {
      Commands.run("tc", "-n", sandbox.namespace(), "filter", "del", "dev", "uplink", "ingress");
    }
  }

  private static void unpin(Path pin) {
    try {
      Files.delete(pin);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
