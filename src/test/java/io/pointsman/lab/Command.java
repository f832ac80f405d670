// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Runs a program of the machine and waits for it. */
final class Command {
  private static final int LIMIT_MINUTES = 30;

  private Command() {}

  /** Runs {@code command} to its end; {@link CommandResult#check()} tells whether it went well. */
  static CommandResult run(List<String> command) {
    return run(command, "");
  }

  /** As {@link #run(List)}, with {@code input} on standard input. */
  static CommandResult run(List<String> command, String input) {
    try (var readers = Executors.newVirtualThreadPerTaskExecutor()) {
      var process = new ProcessBuilder(command).start();
      var out = CompletableFuture.supplyAsync(() -> text(process.getInputStream()), readers);
      var err = CompletableFuture.supplyAsync(() -> text(process.getErrorStream()), readers);
      feed(process, input);
      if (!process.waitFor(LIMIT_MINUTES, TimeUnit.MINUTES)) {
        process.destroyForcibly();
      }
      return new CommandResult(command, process.waitFor(), out.join(), err.join());
    } catch (IOException e) {
      throw new LabException(
          "'%s' cannot be run (%s): run 'make deps'".formatted(command.getFirst(), e.getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LabException("interrupted while '%s' ran".formatted(command.getFirst()), e);
    }
  }

  /** Runs a command that a person talks to, on this process's own terminal; its exit status. */
  static int interactive(List<String> command) {
    try {
      return new ProcessBuilder(command).inheritIO().start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return 130;
    }
  }

  private static void feed(Process process, String input) throws IOException {
    try (OutputStream in = process.getOutputStream()) {
      in.write(input.getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // A program may end without reading its input: its exit status tells whether that was right.
      if (process.isAlive()) {
        throw e;
      }
    }
  }

  private static String text(InputStream stream) {
    try (stream) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
