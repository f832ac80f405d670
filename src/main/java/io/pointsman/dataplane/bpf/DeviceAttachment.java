// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.kernel.RtNetlink;

/** One way to run the packet programs on a device of the node's network namespace. */
interface DeviceAttachment extends AutoCloseable {
  /** Attaches both programs, or replaces what runs there by ours; tells whether it had to. */
  boolean attach(int ifindex);

  /** What is not as it shall be at a device, a sentence, or empty. */
  String defect(int ifindex, String name, RtNetlink netlink);

  /** Lets go of devices that are gone or no longer wanted, also of an earlier agent's. */
  void retain(java.util.Set<Integer> wanted, RtNetlink netlink);

  @Override
  void close();
}
