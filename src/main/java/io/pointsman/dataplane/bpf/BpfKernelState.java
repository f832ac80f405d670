// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Digest;
import io.pointsman.dataplane.KernelState;
import java.util.ArrayList;
import java.util.List;

/** The maps as they were read; objects are made only for a visitor. */
final class BpfKernelState implements KernelState {
  private final NatTable table;
  private final Digest digest;
  private final List<String> defects;

  BpfKernelState(NatTable table, List<String> defects) {
    this.table = table;
    this.digest = table.digest();
    this.defects = List.copyOf(defects);
  }

  @Override
  public Digest digest() {
    return digest;
  }

  @Override
  public int frontendCount() {
    return table.frontends.size;
  }

  @Override
  public int backendCount() {
    return table.pairs();
  }

  @Override
  public void forEach(Visitor visitor) {
    FrontendRows rows = table.frontends;
    for (int row = 0; row < rows.size; row++) {
      visitor.frontend(
          new Address(rows.high[row], rows.low[row]),
          rows.port(row),
          rows.protocol(row),
          backends(table.setOf[row]));
    }
  }

  @Override
  public List<String> defects() {
    return defects;
  }

  private List<BackendAddress> backends(int set) {
    BackendRows rows = table.backends;
    List<BackendAddress> found = new ArrayList<>(table.length[set]);
    for (int i = table.offset[set]; i < table.offset[set] + table.length[set]; i++) {
      int row = table.rowAt[i];
      if (row != NatTable.NO_ROW) {
        found.add(new BackendAddress(new Address(rows.high[row], rows.low[row]), rows.port(row)));
      }
    }
    return found;
  }
}
