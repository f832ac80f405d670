// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The rights of this process (capabilities(7)), by their numbers in linux/capability.h. */
public final class Capabilities {
  /** Changes network settings and netfilter. */
  public static final int NET_ADMIN = 12;

  /** Opens raw sockets, which ip_tables and IP sets are asked through. */
  public static final int NET_RAW = 13;

  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String EFFECTIVE = "CapEff:";

  private Capabilities() {}

  /** Whether this process may use the right now. */
  public static boolean effective(int number) {
    return (effective(STATUS) >>> number & 1) != 0;
  }

  /** All rights in a file as /proc/PID/status, one bit each. */
  public static long effective(Path status) {
    try {
      return Files.readAllLines(status).stream()
          .filter(line -> line.startsWith(EFFECTIVE))
          .map(line -> line.substring(EFFECTIVE.length()).strip())
          .mapToLong(hex -> Long.parseUnsignedLong(hex, 16))
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      throw new UncheckedIOException("read " + status, e);
    }
  }
}
