// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;

/**
 * A struct ct of bpf/layout.h.
 *
 * @param flags CT_*
 * @param service for flows of the stack the seconds of silence after which it forgets them
 * @param lastSeen nanoseconds since the machine booted
 */
record FlowEntry(Address address, int port, int flags, int service, long lastSeen) {
  /** Drops answers while their flow is handed over. */
  static final FlowEntry HELD_ANSWERS =
      new FlowEntry(Address.ANY_V6, 0, Layout.CT_STACK | Layout.CT_HELD, 0, 0);

  /** Whether it drops answers, also when an agent that was killed has left it. */
  boolean isHeldAnswers() {
    return has(Layout.CT_STACK) && has(Layout.CT_HELD);
  }

  boolean has(int flag) {
    return (flags & flag) != 0;
  }

  FlowEntry with(int flag) {
    return new FlowEntry(address, port, flags | flag, service, lastSeen);
  }
}
