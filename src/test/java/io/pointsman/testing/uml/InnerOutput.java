// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Prints what {@link InnerJvm} writes, as it comes. */
public final class InnerOutput implements InnerMachine.Watcher {
  private final Map<Path, Integer> read = new LinkedHashMap<>();

  @Override
  public boolean look(Path folder) {
    String output = rest(folder.resolve("output"));
    if (!output.isEmpty()) {
      System.out.print(output);
      System.out.flush();
    }
    return !output.isEmpty();
  }

  /** What has come to a file since it was looked at last. */
  String rest(Path file) {
    if (!Files.exists(file)) {
      return "";
    }
    try {
      byte[] all = Files.readAllBytes(file);
      int from = read.getOrDefault(file, 0);
      read.put(file, all.length);
      return new String(all, from, all.length - from, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
