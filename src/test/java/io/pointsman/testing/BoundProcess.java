// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** A child process that cannot outlive this JVM, however the JVM ends. */
public final class BoundProcess implements AutoCloseable {
  private static final double KIBIBYTES = 1024;

  private final Process process;
  private final Path log;

  private BoundProcess(Process process, Path log) {
    this.process = process;
    this.log = log;
  }

  /**
   * Starts {@code command}, its output going to {@code log}.
   *
   * <p>The kernel sends PDEATHSIG when the thread that started the child ends, so a thread that
   * waits for the child starts it.
   */
  public static BoundProcess start(List<String> command, Path log) {
    List<String> bound = new ArrayList<>(List.of("setpriv", "--pdeathsig", "KILL", "--"));
    bound.addAll(command);
    var started = new CompletableFuture<Process>();
    Thread.ofPlatform()
        .daemon()
        .name("keeper of " + command.getFirst())
        .start(() -> keep(new ProcessBuilder(bound), log, started));
    return new BoundProcess(started.join(), log);
  }

  private static void keep(ProcessBuilder builder, Path log, CompletableFuture<Process> started) {
    try {
      Process process = builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
      started.complete(process);
      process.waitFor();
    } catch (IOException | InterruptedException e) {
      started.completeExceptionally(e);
    }
  }

  /** Whether it runs. */
  public boolean alive() {
    return process.isAlive();
  }

  long pid() {
    return process.pid();
  }

  /** Processor time that it and what it has waited for have used, in milliseconds. */
  public double cpuMillis() {
    return CpuTime.millis(process.pid());
  }

  /** Memory that it has now, without its children, in MiB. */
  public double residentMebibytes() {
    return Project.read(Path.of("/proc", Long.toString(process.pid()), "status"))
        .lines()
        .filter(line -> line.startsWith("VmRSS:"))
        .mapToDouble(line -> Double.parseDouble(line.replaceAll("\\D", "")) / KIBIBYTES)
        .findFirst()
        .orElseThrow();
  }

  /** All that the process wrote so far. */
  public String output() {
    return Project.read(log);
  }

  @Override
  public void close() {
    process.destroyForcibly();
    try {
      process.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
