// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A setting of the kernel in the network namespace of the thread that asks (sysctl(8)).
 *
 * @param text its name with dots, as {@code net.ipv4.ip_forward}
 */
public record Sysctl(String text) {
  /** Where a pod, whose own /proc/sys is read-only, is given the settings that it may write. */
  private static final Path GIVEN = Path.of("/host/proc/sys");

  private static final Path OWN = Path.of("/proc/sys");

  /** The value; null when this kernel does not have the setting. */
  public @Nullable String value() {
    // One large read: the kernel gives a setting only to a reader that takes it at once.
    try (BufferedReader reader = Files.newBufferedReader(path())) {
      String line = reader.readLine();
      return line == null ? "" : line.strip();
    } catch (IOException e) {
      return null;
    }
  }

  /** Whether it has this value now; false when it cannot be set, as in a pod's read-only /proc. */
  public boolean set(String value) {
    if (value.equals(value())) {
      return true;
    }
    try {
      Files.writeString(path(), value);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Whether this process may set it. */
  public boolean writable() {
    return Files.isWritable(path());
  }

  private Path path() {
    String[] parts = text.split("\\.", -1);
    Path given = GIVEN.resolve(Path.of("", parts));
    return Files.exists(given) ? given : OWN.resolve(Path.of("", parts));
  }
}
