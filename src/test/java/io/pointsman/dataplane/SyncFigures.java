// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.testing.CpuTime;

/** Milliseconds of full programming and of one change, by the clock and of processors. */
record SyncFigures(double full, double change, double fullCpu, double changeCpu) {
  private static final double NANOS_PER_MILLI = 1e6;

  /** Milliseconds of one piece of work of this process. */
  record Spent(double millis, double cpu) {
    static Spent on(Runnable work) {
      long self = ProcessHandle.current().pid();
      double cpu = CpuTime.millis(self);
      long start = System.nanoTime();
      work.run();
      double millis = (System.nanoTime() - start) / NANOS_PER_MILLI;
      return new Spent(millis, CpuTime.millis(self) - cpu);
    }
  }
}
