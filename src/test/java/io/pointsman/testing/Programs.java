// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** The programs that scripts/go-binaries builds: etcd, kube-apiserver, kubectl, helm and more. */
public final class Programs {
  private Programs() {}

  /**
   * How a program ended.
   *
   * @param exit its exit status
   * @param out all it wrote to standard output
   * @param err all it wrote to standard error
   */
  public record Ended(int exit, String out, String err) {}

  /** The path of a program by its name; builds what is missing, once. */
  public static Path path(String name) {
    return Folder.PATH.resolve(name);
  }

  /** Runs a program of the lab with these arguments and waits for its end. */
  public static Ended run(String name, List<String> arguments) {
    List<String> command = new ArrayList<>(List.of(path(name).toString()));
    command.addAll(arguments);
    return run(command);
  }

  private static Ended run(List<String> command) {
    try {
      Process process =
          new ProcessBuilder(command)
              .directory(Project.folder().toFile())
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .start();
      var err = CompletableFuture.supplyAsync(() -> text(process.getErrorStream()));
      String out = text(process.getInputStream());
      return new Ended(process.waitFor(), out, err.join());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while running " + command.getFirst(), e);
    }
  }

  private static String text(InputStream stream) {
    try (stream) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Found out once per JVM. */
  private static final class Folder {
    static final Path PATH = find();

    private static Path find() {
      String script = Project.folder().resolve("scripts/go-binaries").toString();
      Ended ended = run(List.of(script));
      if (ended.exit() != 0) {
        throw new IllegalStateException("scripts/go-binaries failed: " + ended.err().strip());
      }
      return Path.of(ended.out().strip());
    }
  }
}
