// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.testing.uml.InnerJvm;
import io.pointsman.testing.uml.InnerOutput;
import java.time.Duration;
import java.util.List;

/** The demo inside User-Mode Linux, which has ip_vs. Run by {@code DEMO_KERNEL=uml make demo}. */
public final class DemoMachine {
  private static final Duration PATIENCE = Duration.ofMinutes(30);

  private DemoMachine() {}

  /** Exits as {@link Demo} does. */
  public static void main(String... names) {
    var command = InnerJvm.command(Demo.class, InnerLab.unpack(), List.of(names));
    System.exit(InnerLab.userModeLinux(PATIENCE).run(command, new InnerOutput()));
  }
}
