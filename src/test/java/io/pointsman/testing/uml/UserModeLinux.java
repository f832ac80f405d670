// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import io.pointsman.testing.BoundProcess;
import io.pointsman.testing.Project;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A User-Mode Linux that runs one command in the host's file system, with a writable layer of its
 * own over it. It has one CPU, no network, and nothing of it outlives the run.
 *
 * @param megabytes its memory, which is taken only as it is used
 * @param modules kernel modules that are loaded first
 * @param deadline how long it may take from the boot to the end
 */
public record UserModeLinux(int megabytes, List<String> modules, Duration deadline) {
  private static final String PROGRAM = "linux.uml";
  private static final String INIT = "init.sh";
  private static final int TAIL = 8_000;
  private static final long POLL_MILLIS = 100;

  /** Where a machine leaves what it has to say while it runs. */
  public interface Watcher {
    /**
     * Called from time to time and once at the end.
     *
     * @param folder the folder that the command knows as {@link #OUTSIDE}
     */
    void look(Path folder);
  }

  /** The folder through which a command reaches the host's file system. */
  public static final String OUTSIDE = "/mnt/outside";

  /** Takes a copy. */
  public UserModeLinux {
    modules = List.copyOf(modules);
  }

  /**
   * Boots, runs a line of shell in the project's folder and waits for its end.
   *
   * @return the command's exit code
   * @throws IllegalStateException when the machine does not come to the end in time; the message
   *     holds the last it said
   */
  public int run(String command, Watcher watcher) {
    try {
      Path folder = Files.createTempDirectory("pm-uml-");
      Thread hook = new Thread(() -> delete(folder));
      Runtime.getRuntime().addShutdownHook(hook);
      try {
        fill(folder, command);
        return run(folder, watcher);
      } finally {
        Runtime.getRuntime().removeShutdownHook(hook);
        delete(folder);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void fill(Path folder, String command) throws IOException {
    for (String name : List.of(INIT, "inside.sh")) {
      try (InputStream script =
          Objects.requireNonNull(UserModeLinux.class.getResourceAsStream("/uml/" + name))) {
        Files.copy(script, folder.resolve(name));
      }
    }
    Files.setPosixFilePermissions(
        folder.resolve(INIT), PosixFilePermissions.fromString("rwxr-xr-x"));
    Files.write(folder.resolve("modules"), modules);
    Files.writeString(folder.resolve("directory"), Project.folder().toString());
    Files.writeString(folder.resolve("command"), environment() + command + "\n");
  }

  /** What tells programs where the machine keeps things, which the first process does not get. */
  private static String environment() {
    return System.getenv().entrySet().stream()
        .filter(each -> each.getKey().equals("HOME") || each.getKey().startsWith("POINTSMAN_"))
        .map(each -> "export " + each.getKey() + "=" + quote(each.getValue()) + "\n")
        .collect(Collectors.joining());
  }

  /** A word of the shell's. */
  static String quote(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  private int run(Path folder, Watcher watcher) throws IOException {
    long end = System.nanoTime() + deadline.toNanos();
    Path log = folder.resolve("kernel");
    try (BoundProcess machine = BoundProcess.start(commandLine(folder), log)) {
      while (machine.alive() && System.nanoTime() < end) {
        watcher.look(folder);
        Thread.sleep(POLL_MILLIS);
      }
      watcher.look(folder);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while User-Mode Linux ran", e);
    }
    Path code = folder.resolve("code");
    if (!Files.exists(code)) {
      throw new IllegalStateException(
          "User-Mode Linux did not come to the end within " + deadline + ":\n" + tails(folder));
    }
    return Integer.parseInt(Files.readString(code).strip());
  }

  /** Pinned to one CPU, which halves the price of every system call; in a PID namespace to end. */
  private List<String> commandLine(Path folder) {
    return List.of(
        "taskset",
        "-c",
        lastCpu(),
        "unshare",
        "--pid",
        "--fork",
        "--kill-child=KILL",
        PROGRAM,
        "mem=" + megabytes + "M",
        "rootfstype=hostfs",
        "rootflags=/",
        "ro",
        "init=" + folder.resolve(INIT),
        "lsm=yama",
        "con=null",
        "con0=null,fd:1",
        "uml_dir=" + folder.resolve("uml"),
        "umid=machine");
  }

  private static String lastCpu() {
    String allowed =
        Project.read(Path.of("/proc/self/status"))
            .lines()
            .filter(line -> line.startsWith("Cpus_allowed_list:"))
            .findFirst()
            .orElseThrow();
    return allowed.substring(allowed.lastIndexOf(':') + 1).strip().replaceFirst(".*[,-]", "");
  }

  private static String tails(Path folder) {
    return Stream.of("kernel", "console", "output")
        .map(folder::resolve)
        .filter(Files::exists)
        .map(file -> "-- " + file.getFileName() + "\n" + tail(Project.read(file)))
        .collect(Collectors.joining("\n"));
  }

  private static String tail(String text) {
    return text.substring(Math.max(0, text.length() - TAIL));
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
