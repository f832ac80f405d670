// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Runs the netfilter tools of the node; their output is English whatever the locale. */
public final class CommandRunner {
  /**
   * Nothing takes this long but what hangs: a table of 30,000 Services takes well under a minute.
   */
  private static final Duration TIMEOUT = Duration.ofMinutes(5);

  private static final int ERROR_LENGTH = 2_000;

  /** Each pipe has a thread: the common pool has too few to keep several pipes flowing. */
  private static final Executor THREADS =
      task -> Thread.ofPlatform().daemon().name("command").start(task);

  private final List<String> prefix;

  /** Folders that programs are looked for in, with colons between them. */
  private final String path;

  /** Runs commands as they are. */
  public CommandRunner() {
    this(List.of());
  }

  /** Runs commands behind another one, such as one that enters a network namespace. */
  public CommandRunner(List<String> prefix) {
    this(prefix, System.getenv().getOrDefault("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"));
  }

  /** The same, and says of programs in these folders only that they are there. */
  public CommandRunner(List<String> prefix, String path) {
    this.prefix = List.copyOf(prefix);
    this.path = path;
  }

  /** Whether a program of this name is on the PATH. */
  public boolean has(String program) {
    for (String folder : path.split(":", -1)) {
      if (!folder.isEmpty() && Files.isExecutable(Path.of(folder, program))) {
        return true;
      }
    }
    return false;
  }

  /** What a command reads; it is written while the command runs and never held as a whole. */
  @FunctionalInterface
  public interface Input {
    /** Writes all of it; an exception ends the command. */
    void writeTo(Appendable out) throws IOException;
  }

  /**
   * Runs a command and hands on its output line by line.
   *
   * @param input what the command reads
   * @throws CommandException when it cannot be started, fails, or takes longer than five minutes
   */
  public void run(List<String> command, String input, Consumer<String> lines) {
    run(command, out -> out.append(input), lines);
  }

  /** The same with an input that is written bit by bit, on a thread of its own. */
  public void run(List<String> command, Input input, Consumer<String> lines) {
    carryOut(
        command,
        input,
        output -> {
          for (String line = output.readLine(); line != null; line = output.readLine()) {
            lines.accept(line);
          }
        });
  }

  /** Takes what a command writes while it runs; output that is not taken ends it. */
  @FunctionalInterface
  public interface Output {
    /** Reads to the end. */
    void readFrom(BufferedReader output) throws IOException;
  }

  /** Runs a command without input whose output is more than lines. */
  public void read(List<String> command, Output output) {
    carryOut(command, out -> {}, output);
  }

  /**
   * What a command writes to its standard error, whether it then fails or not; cut when it is long.
   *
   * @throws CommandException when it fails without a word
   */
  public String said(List<String> command, String input) {
    try {
      return carryOut(
              command, out -> out.append(input), output -> output.transferTo(Writer.nullWriter()))
          .get();
    } catch (CommandException e) {
      if (e.said().isEmpty()) {
        throw e;
      }
      return e.said();
    }
  }

  /** Returns what gives the command's errors, which only some ask for. */
  private Supplier<String> carryOut(List<String> command, Input input, Output output) {
    List<String> whole = new ArrayList<>(prefix);
    whole.addAll(command);
    ProcessBuilder builder = new ProcessBuilder(whole);
    builder.environment().put("LC_ALL", "C");
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new CommandException(command, "cannot be started: " + e.getMessage(), e);
    }
    try {
      return finish(command, process, input, output);
    } finally {
      // That would also close what one that has ended said, before it is read.
      if (process.isAlive()) {
        process.destroyForcibly();
      }
    }
  }

  /** The output of a command as lines. */
  public List<String> lines(String... command) {
    List<String> lines = new ArrayList<>();
    run(List.of(command), "", lines::add);
    return lines;
  }

  private static Supplier<String> finish(
      List<String> command, Process process, Input input, Output taker) {
    CompletableFuture<String> errors =
        CompletableFuture.supplyAsync(() -> errors(process), THREADS);
    CompletableFuture<Boolean> fed =
        CompletableFuture.supplyAsync(() -> feed(process, input), THREADS);
    process
        .onExit()
        .orTimeout(TIMEOUT.toSeconds(), TimeUnit.SECONDS)
        .whenComplete(
            (done, late) -> {
              if (late != null) {
                process.destroyForcibly();
              }
            });
    try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
      taker.readFrom(output);
      int code = process.waitFor();
      Throwable unfed = fed.handle((took, failure) -> failure).join();
      if (unfed != null) {
        throw new CommandException(command, "could not be fed", unfed);
      }
      if (code != 0 || !fed.join()) {
        throw new CommandException(command, "ended with " + code + ": ", errors.join());
      }
      return errors::join;
    } catch (IOException e) {
      throw new CommandException(command, "could not be read: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException(command, "was interrupted", e);
    }
  }

  /** Whether the command took all of its input; one that ended early says why by its exit code. */
  private static boolean feed(Process process, Input input) {
    try (Writer writer = process.outputWriter(StandardCharsets.UTF_8)) {
      input.writeTo(writer);
      return true;
    } catch (IOException e) {
      return false;
    } catch (RuntimeException e) {
      // What it has read so far must not look like the whole.
      process.toHandle().destroyForcibly();
      throw e;
    }
  }

  private static String errors(Process process) {
    try (InputStream stream = process.getErrorStream()) {
      String text = new String(stream.readAllBytes(), StandardCharsets.UTF_8).strip();
      return text.length() > ERROR_LENGTH ? text.substring(0, ERROR_LENGTH) : text;
    } catch (IOException e) {
      return "its errors could not be read: " + e.getMessage();
    }
  }

  /** A command failed; the message names it and what it said. */
  public static final class CommandException extends RuntimeException {
    private final String said;

    CommandException(List<String> command, String what, String said) {
      super(String.join(" ", command) + " " + what + said);
      this.said = said;
    }

    CommandException(List<String> command, String what, @Nullable Throwable cause) {
      super(String.join(" ", command) + " " + what, cause);
      this.said = "";
    }

    /** What the command wrote to its standard error, cut when it is long. */
    public String said() {
      return said;
    }
  }
}
