// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.dataplane.DataplaneException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** What ip_vs has counted in the network namespace of the calling thread, in its list as text. */
final class Counters {
  private static final Path STATISTICS = Path.of("/proc/thread-self/net/ip_vs_stats");
  private static final List<String> NAMES =
      List.of("connections", "packets_in", "packets_out", "bytes_in", "bytes_out");
  private static final int TOTALS = 2;
  private static final int RADIX = 16;

  private Counters() {}

  /** The totals by name; none where the kernel has no ip_vs. */
  static Map<String, Long> read() {
    try {
      return Files.exists(STATISTICS) ? parse(Files.readAllLines(STATISTICS)) : Map.of();
    } catch (IOException e) {
      throw new DataplaneException("read " + STATISTICS, e);
    }
  }

  /** Two lines of headings, then the totals in hexadecimal. */
  static Map<String, Long> parse(List<String> lines) {
    Map<String, Long> counted = new TreeMap<>();
    String[] words = lines.size() > TOTALS ? lines.get(TOTALS).strip().split("\\s+", -1) : null;
    for (int i = 0; words != null && i < NAMES.size() && i < words.length; i++) {
      counted.put(NAMES.get(i), Long.parseUnsignedLong(words[i], RADIX));
    }
    return counted;
  }
}
