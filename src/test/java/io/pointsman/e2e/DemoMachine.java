// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.testing.uml.InnerJvm;
import io.pointsman.testing.uml.InnerOutput;
import java.time.Duration;
import java.util.List;

/** The demo inside User-Mode Linux, which has ip_vs. Run by {@code DEMO_KERNEL=uml make demo}. */
public final class DemoMachine {
  private static final Duration LIMIT = Duration.ofMinutes(60);

  private DemoMachine() {}

  /** Exits as {@link Demo} does. */
  public static void main(String... names) {
    InnerLab.unpack();
    var machine = InnerLab.userModeLinux(LIMIT);
    System.exit(
        machine.run(InnerJvm.command(Demo.class, List.of(), List.of(names)), new InnerOutput()));
  }
}
