// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How many bytes of memory this process may lock (getrlimit(2), RLIMIT_MEMLOCK).
 *
 * @param now what counts
 * @param most how far the process may raise it by itself
 */
public record LockLimit(long now, long most) {
  /** No limit. */
  public static final long UNLIMITED = Long.MAX_VALUE;

  private static final Path LIMITS = Path.of("/proc/self/limits");
  private static final String NAME = "Max locked memory";

  /** This process's. */
  public static LockLimit own() {
    return read(LIMITS);
  }

  /** As a file like /proc/PID/limits has it; no limit when it has none. */
  static LockLimit read(Path limits) {
    try {
      return Files.readAllLines(limits).stream()
          .filter(line -> line.startsWith(NAME))
          .map(line -> line.substring(NAME.length()).strip().split("\\s+", -1))
          .map(words -> new LockLimit(bytes(words[0]), bytes(words[1])))
          .findFirst()
          .orElse(new LockLimit(UNLIMITED, UNLIMITED));
    } catch (IOException e) {
      throw new UncheckedIOException("read " + limits, e);
    }
  }

  private static long bytes(String word) {
    return word.equals("unlimited") ? UNLIMITED : Long.parseLong(word);
  }
}
