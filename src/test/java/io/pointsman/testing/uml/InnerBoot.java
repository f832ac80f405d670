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
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One run of a machine, through a folder that both sides see.
 *
 * @param title what the machine is called in messages
 * @param resources what is in the folder then, under its last name; {@code start.sh} starts it
 * @param modules kernel modules that are loaded first
 * @param patience how long it may say nothing new before it is ended
 * @param commandLine starts it with that folder; it ends with all it has begun when it is killed
 */
record InnerBoot(
    String title,
    List<String> resources,
    List<String> modules,
    Duration patience,
    Function<Path, List<String>> commandLine) {
  private static final int TAIL = 8_000;
  private static final long POLL_MILLIS = 100;
  private static final Duration ANSWERED_WITHIN = Duration.ofSeconds(20);

  /** As {@link InnerMachine#run}. */
  int run(String command, InnerMachine.Watcher watcher) {
    try {
      Path folder = Files.createTempDirectory("pm-machine-");
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

  /** The script that starts the machine, in the folder of a run. */
  static Path starter(Path folder) {
    return folder.resolve("start.sh");
  }

  private void fill(Path folder, String command) throws IOException {
    copy("/uml/inside.sh", folder);
    for (String resource : resources) {
      copy(resource, folder);
    }
    Files.write(folder.resolve("modules"), modules);
    Files.writeString(folder.resolve("directory"), Project.folder().toString());
    Files.writeString(folder.resolve("command"), environment() + command + "\n");
  }

  private static void copy(String resource, Path folder) throws IOException {
    Path to = folder.resolve(resource.substring(resource.lastIndexOf('/') + 1));
    try (InputStream text = Objects.requireNonNull(InnerBoot.class.getResourceAsStream(resource))) {
      Files.copy(text, to);
    }
    Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwxr-xr-x"));
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

  private int run(Path folder, InnerMachine.Watcher watcher) throws IOException {
    // Of the whole there is no limit: a slow machine gets on, one that hangs does not.
    long heard = System.nanoTime();
    boolean hangs = false;
    Path log = folder.resolve("kernel");
    try (BoundProcess machine = BoundProcess.start(commandLine.apply(folder), log)) {
      while (machine.alive() && !hangs) {
        boolean news = watcher.look(folder);
        long now = System.nanoTime();
        heard = news ? now : heard;
        hangs = now - heard > patience.toNanos();
        Thread.sleep(POLL_MILLIS);
      }
      if (hangs) {
        askWhy(folder);
      }
      watcher.look(folder);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while " + title + " ran", e);
    }
    Path code = folder.resolve("code");
    if (!Files.exists(code)) {
      String what = hangs ? " said nothing new for " + patience : " died";
      throw new IllegalStateException(title + what + ":\n" + tails(folder));
    }
    return Integer.parseInt(Files.readString(code).strip());
  }

  /** {@link InnerStacks} answers. */
  private static void askWhy(Path folder) throws IOException, InterruptedException {
    Files.createFile(folder.resolve(InnerStacks.QUESTION));
    long end = System.nanoTime() + ANSWERED_WITHIN.toNanos();
    while (!Files.exists(folder.resolve(InnerStacks.ANSWER)) && System.nanoTime() < end) {
      Thread.sleep(POLL_MILLIS);
    }
  }

  private static String tails(Path folder) {
    return Stream.of("kernel", "console", "output", InnerStacks.ANSWER)
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
