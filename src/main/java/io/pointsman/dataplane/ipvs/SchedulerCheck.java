// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.api.Scheduler;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Whether the kernel has the module of a scheduler.
 *
 * @param scheduler the name in ip_vs
 */
record SchedulerCheck(Modules modules, String scheduler) {
  /** What is in the way, if anything is. */
  Optional<Finding> find() {
    String module = Schedulers.module(scheduler);
    return switch (modules.state(module)) {
      case PRESENT, LOADABLE -> Optional.empty();
      case MISSING ->
          Optional.of(
              new Finding(
                  Severity.BLOCKING,
                  "SchedulerMissing",
                  "The kernel of this node has no module %s for the scheduler %s."
                      .formatted(module, scheduler),
                  "Install the module and load it: modprobe " + module + others() + "."));
      case UNKNOWN ->
          Optional.of(
              new Finding(
                  Severity.WARNING,
                  "SchedulerUnknown",
                  "The module " + module + " is not loaded, and /lib/modules cannot be read here.",
                  "Load it on the node to be sure: modprobe " + module));
    };
  }

  private String others() {
    String others =
        Arrays.stream(Scheduler.values())
            .filter(other -> other != Scheduler.RANDOM)
            .map(Schedulers::name)
            .filter(other -> modules.state(Schedulers.module(other)) != Modules.State.MISSING)
            .collect(Collectors.joining(", "));
    return others.isEmpty() ? "" : "; or choose one of the schedulers it has: " + others;
  }
}
