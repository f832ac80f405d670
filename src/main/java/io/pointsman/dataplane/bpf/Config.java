// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.ConntrackTimeouts;
import io.pointsman.kernel.Features;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What the programs are told, as it stands in the map {@code config}.
 *
 * @param phase {@link Phase#ABSENT} never stands there
 * @param nodePortLow the first port of the cluster's node port range
 * @param nodePortHigh the last
 * @param udpTimeout seconds after which conntrack forgets datagrams that got no answer
 * @param streamTimeout the same for datagrams that went both ways for a while
 * @param networkNamespace cookie of the node's network namespace, 0 for the machine's first one
 */
record Config(
    Phase phase,
    MasqueradeRange masquerade,
    int nodePortLow,
    int nodePortHigh,
    int udpTimeout,
    int streamTimeout,
    long networkNamespace) {
  private static final int MOST_SECONDS = 0xffff;

  /** What it shall be on this node. */
  static Config wanted(Phase phase, DataplaneSettings settings) {
    ConntrackTimeouts timeouts = ConntrackTimeouts.read();
    return new Config(
        phase,
        MasqueradeRange.find(settings.nodePortLow(), settings.nodePortHigh()),
        settings.nodePortLow(),
        settings.nodePortHigh(),
        Math.min(timeouts.udp(), MOST_SECONDS),
        Math.min(timeouts.udpStream(), MOST_SECONDS),
        Features.networkNamespaceCookie().orElse(0L));
  }

  static Config read(BpfMap map) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(Layout.CONFIG_SIZE, Long.BYTES);
      boolean found = map.lookup(arena.allocate(Integer.BYTES, Integer.BYTES), value);
      if (!found) {
        throw new IllegalStateException("an array always has its entries: " + map.name());
      }
      return new Config(
          phase(Layout.getInt(value, Layout.CONFIG_PHASE)),
          new MasqueradeRange(
              Layout.getShort(value, Layout.CONFIG_MASQUERADE_LOW),
              Layout.getShort(value, Layout.CONFIG_MASQUERADE_HIGH)),
          Layout.getShort(value, Layout.CONFIG_NODE_PORT_LOW),
          Layout.getShort(value, Layout.CONFIG_NODE_PORT_HIGH),
          Layout.getShort(value, Layout.CONFIG_UDP_TIMEOUT),
          Layout.getShort(value, Layout.CONFIG_STREAM_TIMEOUT),
          Layout.getLong(value, Layout.CONFIG_HOST_NETNS));
    }
  }

  /** Replaces all of it by one update of the map. */
  void write(BpfMap map) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(Layout.CONFIG_SIZE, Long.BYTES);
      Layout.putInt(value, Layout.CONFIG_PHASE, number(phase));
      Layout.putShort(value, Layout.CONFIG_MASQUERADE_LOW, masquerade.low());
      Layout.putShort(value, Layout.CONFIG_MASQUERADE_HIGH, masquerade.high());
      Layout.putShort(value, Layout.CONFIG_NODE_PORT_LOW, nodePortLow);
      Layout.putShort(value, Layout.CONFIG_NODE_PORT_HIGH, nodePortHigh);
      Layout.putShort(value, Layout.CONFIG_UDP_TIMEOUT, udpTimeout);
      Layout.putShort(value, Layout.CONFIG_STREAM_TIMEOUT, streamTimeout);
      Layout.putLong(value, Layout.CONFIG_HOST_NETNS, networkNamespace);
      map.update(arena.allocate(Integer.BYTES, Integer.BYTES), value);
    }
  }

  Config in(Phase other) {
    return new Config(
        other, masquerade, nodePortLow, nodePortHigh, udpTimeout, streamTimeout, networkNamespace);
  }

  /** A number that nobody wrote is taken for the phase that leaves all traffic alone. */
  private static Phase phase(int number) {
    return switch (number) {
      case 1 -> Phase.ACTIVE;
      case 2 -> Phase.DRAINING;
      default -> Phase.PREPARED;
    };
  }

  private static int number(Phase phase) {
    return switch (phase) {
      case ABSENT -> throw new IllegalArgumentException("absent programs cannot be told so");
      case PREPARED -> 0;
      case ACTIVE -> 1;
      case DRAINING -> 2;
    };
  }
}
