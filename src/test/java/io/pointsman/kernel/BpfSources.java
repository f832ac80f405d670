// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** Compiles BPF C of the tests with the clang that builds the product. */
public final class BpfSources {
  private static final Map<Path, byte[]> COMPILED = new ConcurrentHashMap<>();

  private BpfSources() {}

  /** The object of a source file below the project's folder. */
  public static byte[] compile(String source) {
    return COMPILED.computeIfAbsent(Path.of(source), BpfSources::run);
  }

  private static byte[] run(Path source) {
    try {
      Path object = Files.createTempFile("pointsman-", ".bpf.o");
      try {
        String machine = Commands.run("uname", "-m").strip();
        Commands.run(
            "clang",
            "-O2",
            "-g",
            "-target",
            "bpf",
            "-mcpu=v2",
            "-I/usr/include/" + machine + "-linux-gnu",
            "-c",
            source.toString(),
            "-o",
            object.toString());
        return Files.readAllBytes(object);
      } finally {
        Files.delete(object);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
