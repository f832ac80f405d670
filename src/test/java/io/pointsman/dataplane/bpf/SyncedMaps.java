// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.kernel.BpfMap;
import java.util.List;

/** What the agent writes nat_fe and nat_be by, for tests of the programs that read them. */
public final class SyncedMaps implements AutoCloseable {
  /** Chooses backends at random. */
  public static final int RANDOM = 0;

  /** Chooses them in turn. */
  public static final int RR = 1;

  private final NatMaps maps;

  /** Writes these into the maps. */
  public SyncedMaps(BpfMap natFe, BpfMap natBe, int scheduler, List<ServicePort> ports) {
    maps = new NatMaps(natFe, natBe, scheduler);
    maps.reconcile(RandomServices.desired(ports));
  }

  /** Writes a change. */
  public void change(ServicePort before, ServicePort after) {
    maps.apply(new Delta(List.of(new Change(before, after)), List.of()));
  }

  @Override
  public void close() {
    maps.close();
  }
}
