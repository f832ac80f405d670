// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.Sysctl;
import java.util.BitSet;

/**
 * The ports that masqueraded flows are sent from: the largest run of ports that the host neither
 * gives to its own sockets, nor reserves, nor answers as node ports. 0 to 0 is none.
 */
record MasqueradeRange(int low, int high) {
  static final MasqueradeRange NONE = new MasqueradeRange(0, 0);

  private static final int FIRST = 1024;
  private static final int LAST = 65_535;

  /** The range for this network namespace (ip-sysctl.rst: ip_local_port_range and reserved). */
  static MasqueradeRange find(int nodePortLow, int nodePortHigh) {
    String local = read("ip_local_port_range");
    String reserved = read("ip_local_reserved_ports");
    return find(local, reserved, nodePortLow, nodePortHigh);
  }

  static MasqueradeRange find(String local, String reserved, int nodePortLow, int nodePortHigh) {
    BitSet taken = new BitSet(LAST + 1);
    taken.set(0, FIRST);
    taken.set(nodePortLow, nodePortHigh + 1);
    String[] bounds = local.strip().split("\\s+", -1);
    taken.set(Integer.parseInt(bounds[0]), Integer.parseInt(bounds[1]) + 1);
    for (String part : reserved.strip().split(",", -1)) {
      if (!part.isEmpty()) {
        String[] ends = part.split("-", 2);
        int first = Integer.parseInt(ends[0]);
        taken.set(first, (ends.length == 2 ? Integer.parseInt(ends[1]) : first) + 1);
      }
    }
    return largest(taken);
  }

  /** How many ports there are; not asked of {@link #NONE}. */
  int size() {
    return high - low + 1;
  }

  private static MasqueradeRange largest(BitSet taken) {
    MasqueradeRange best = NONE;
    int low = taken.nextClearBit(FIRST);
    while (low <= LAST) {
      int next = taken.nextSetBit(low);
      MasqueradeRange run = new MasqueradeRange(low, next < 0 ? LAST : Math.min(next - 1, LAST));
      if (best.equals(NONE) || run.size() > best.size()) {
        best = run;
      }
      low = taken.nextClearBit(run.high() + 1);
    }
    return best;
  }

  private static String read(String name) {
    Sysctl setting = new Sysctl("net.ipv4." + name);
    String value = setting.value();
    if (value == null) {
      throw new DataplaneException("read the setting " + setting.text(), null);
    }
    return value;
  }
}
