// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Protocol;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfMapReader;
import io.pointsman.kernel.Clock;

/**
 * Counts flows in {@code ct} that somebody may still be using, without those that the stack has.
 * Each has one forward entry at ingress. The limits are those of bpf/ct.h: a TCP connection is not
 * given up before the 2 hours and 4 minutes of RFC 5382, a UDP flow after three minutes of silence.
 */
final class FlowCounter {
  private static final int PORTION = 16_384;
  private static final long UDP_NANOS = 180_000_000_000L;
  private static final long TCP_NANOS = 7_440_000_000_000L;

  private FlowCounter() {}

  static long count(BpfMap ct) {
    long now = Clock.bootNanos();
    long flows = 0;
    try (BpfMapReader reader = ct.reader(PORTION)) {
      reader.rewind();
      while (reader.next()) {
        for (int i = 0; i < reader.count(); i++) {
          flows += live(reader, i, now) ? 1 : 0;
        }
      }
    }
    return flows;
  }

  private static boolean live(BpfMapReader reader, int entry, long now) {
    long key = (long) entry * Layout.CT_KEY_SIZE;
    long value = (long) entry * Layout.CT_SIZE;
    int flags = Layout.getShort(reader.values(), value + Layout.CT_FLAGS);
    boolean forward =
        Layout.getByte(reader.keys(), key + Layout.CT_KEY_HOOK) == Layout.CT_INGRESS
            && (flags & Layout.CT_FORWARD) != 0;
    if (!forward || (flags & (Layout.CT_CLOSING | Layout.CT_STACK)) != 0) {
      return false;
    }
    long idle = now - Layout.getLong(reader.values(), value + Layout.CT_LAST_SEEN);
    boolean udp = Layout.getByte(reader.keys(), key + Layout.CT_KEY_PROTO) == Protocol.UDP.number();
    return idle < (udp ? UDP_NANOS : TCP_NANOS);
  }
}
