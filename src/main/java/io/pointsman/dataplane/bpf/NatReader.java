// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfMapReader;
import java.lang.foreign.MemorySegment;

/** Reads nat_fe and nat_be as a whole, from the kernel alone; keeps its buffers. */
final class NatReader implements AutoCloseable {
  private static final int PORTION = 16_384;

  private final BpfMapReader frontends;
  private final BpfMapReader backends;
  private final int maxBackends;

  NatReader(BpfMap natFe, BpfMap natBe) {
    this.frontends = natFe.reader(PORTION);
    this.backends = natBe.reader(PORTION);
    this.maxBackends = natBe.maxEntries();
  }

  NatTable read() {
    FrontendRows frontendRows = new FrontendRows();
    frontends.rewind();
    while (frontends.next()) {
      MemorySegment keys = frontends.keys();
      MemorySegment values = frontends.values();
      for (int i = 0; i < frontends.count(); i++) {
        frontendRows.add(keys, values, i);
      }
    }
    BackendRows backendRows = new BackendRows();
    backends.rewind();
    while (backends.next()) {
      MemorySegment keys = backends.keys();
      MemorySegment values = backends.values();
      for (int i = 0; i < backends.count(); i++) {
        backendRows.add(keys, values, i);
      }
    }
    return new NatTable(frontendRows, backendRows, maxBackends);
  }

  @Override
  public void close() {
    frontends.close();
    backends.close();
  }
}
