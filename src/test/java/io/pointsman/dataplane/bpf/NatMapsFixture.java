// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.NumberedServices.backends;
import static io.pointsman.dataplane.bpf.Services.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.dataplane.DesiredState;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfObject;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;

/**
 * The maps of the real object in the running kernel, without pins and without programs attached.
 */
abstract class NatMapsFixture {
  static final int RR = 1;
  final Arena arena = Arena.ofShared();
  final BpfObject object = open(1000, 5000);
  final BpfMap natFe = object.map(Layout.NAT_FE);
  final BpfMap natBe = object.map(Layout.NAT_BE);
  NatMaps maps = new NatMaps(natFe, natBe, RR);

  @AfterEach
  void close() {
    maps.close();
    object.close();
    arena.close();
  }

  static BpfObject open(int frontends, int backends) {
    try (InputStream elf = NatMapsFixture.class.getResourceAsStream("/bpf/socket.bpf.o")) {
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

  void assertProven(DesiredState desired) {
    NatTable table = maps.read();
    assertThat(NatDefects.find(table, RR)).isEmpty();
    assertThat(table.digest()).isEqualTo(desired.digest());
  }

  void restart(int scheduler) {
    maps.close();
    maps = new NatMaps(natFe, natBe, scheduler);
  }
}
