// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import io.pointsman.kernel.Sysctl;
import java.util.Objects;

/**
 * How many mappings a process may have. Each page of a process in User-Mode Linux is one outside,
 * and one of more than 256 MB, as an API server with 10,000 Services has, is ended at the usual
 * limit.
 */
public final class Mappings {
  private static final Sysctl LIMIT = new Sysctl("vm.max_map_count");
  private static final String MANY = "2000000";

  private Mappings() {}

  /** Allows many until this JVM ends, which must be root's. */
  public static void raise() {
    String before = Objects.requireNonNull(LIMIT.value());
    // Also when it is interrupted, which takes no finally.
    Runtime.getRuntime().addShutdownHook(new Thread(() -> LIMIT.set(before)));
    if (!LIMIT.set(MANY)) {
      throw new IllegalStateException("vm.max_map_count was not set: only root may");
    }
  }
}
