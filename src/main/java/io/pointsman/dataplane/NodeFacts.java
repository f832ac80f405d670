// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.kernel.Capabilities;
import io.pointsman.kernel.Features;
import io.pointsman.kernel.Features.KernelVersion;
import io.pointsman.kernel.Sysctl;
import org.jspecify.annotations.Nullable;

/** What preflights ask of the node they run on; a test answers otherwise where it wants to. */
public interface NodeFacts {
  /** This node, in the network namespace of the thread that asks. */
  NodeFacts HERE = new NodeFacts() {};

  /** The running kernel. */
  default KernelVersion kernel() {
    return Features.kernelVersion();
  }

  /** Whether this process has a capability, by its number in linux/capability.h. */
  default boolean may(int capability) {
    return Capabilities.effective(capability);
  }

  /** The value of a setting; null when this kernel does not have it. */
  default @Nullable String value(Sysctl setting) {
    return setting.value();
  }

  /** Whether this process may write a setting. */
  default boolean writable(Sysctl setting) {
    return setting.writable();
  }
}
