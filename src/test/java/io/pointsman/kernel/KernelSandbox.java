// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadLocalRandom;
import org.awaitility.Awaitility;

/**
 * A bpffs, a cgroup and a network namespace of a test's own, which leave nothing behind: not after
 * a failure, and not when the JVM is told to end.
 */
public final class KernelSandbox implements AutoCloseable {
  private final String name =
      "pm-test-" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt());
  private final Path bpffs;
  private final Path cgroup;
  private final Thread hook = new Thread(this::clean);

  /** Makes all three. */
  public KernelSandbox() {
    try {
      bpffs = Files.createTempDirectory(name);
      cgroup = Cgroups.root().resolve(name);
      Runtime.getRuntime().addShutdownHook(hook);
      Commands.run("mount", "-t", "bpf", "bpf", bpffs.toString());
      Files.createDirectory(cgroup);
      Commands.run("ip", "netns", "add", name);
      ip("link", "set", "lo", "up");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The mount point of a private bpffs. */
  public Path bpffs() {
    return bpffs;
  }

  /** An empty cgroup. */
  public Path cgroup() {
    return cgroup;
  }

  /** The name of a network namespace with nothing but lo. */
  public String namespace() {
    return name;
  }

  /** Runs {@code ip} inside the namespace. */
  public String ip(String... arguments) {
    String[] command = new String[arguments.length + 3];
    command[0] = "ip";
    command[1] = "-n";
    command[2] = name;
    System.arraycopy(arguments, 0, command, 3, arguments.length);
    return Commands.run(command);
  }

  /**
   * Lays a cable to another: .1 and ::1 of the networks on this end, .5 and ::5 on the other, which
   * has its default routes by it.
   */
  public void cable(KernelSandbox other, String device, String v4, String v6) {
    ip("link", "add", device, "type", "veth", "peer", "eth0", "netns", other.namespace());
    ip("addr", "add", v4 + "1/24", "dev", device);
    ip("addr", "add", v6 + "1/64", "dev", device, "nodad");
    ip("link", "set", device, "up");
    other.ip("addr", "add", v4 + "5/24", "dev", "eth0");
    other.ip("addr", "add", v6 + "5/64", "dev", "eth0", "nodad");
    other.ip("link", "set", "eth0", "up");
    other.ip("route", "add", "default", "via", v4 + "1");
    other.ip("route", "add", "default", "via", v6 + "1");
  }

  /** Runs many lines of {@code ip} inside the namespace. */
  public void ipBatch(String lines) {
    try {
      Path file = Files.createTempFile(name, ".ip");
      try {
        Files.writeString(file, lines);
        ip("-batch", file.toString());
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs something on a thread of its own inside the namespace; sockets stay in it. */
  public <T> T inNamespace(Callable<T> task) {
    FutureTask<T> future =
        new FutureTask<>(
            () -> {
              int fd = Libc.open("/run/netns/" + name);
              try {
                Libc.setNamespace(fd, name);
              } finally {
                Libc.close(fd);
              }
              return task.call();
            });
    Thread thread = new Thread(future, name);
    thread.start();
    try {
      return future.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException runtime) {
        throw runtime;
      }
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(e.getCause());
    }
  }

  /** Something to do that has no result. */
  @FunctionalInterface
  public interface Action {
    /** Does it. */
    void run() throws Exception;
  }

  /** As {@link #inNamespace}, for what has no result. */
  public void runInNamespace(Action action) {
    boolean unused =
        inNamespace(
            () -> {
              action.run();
              return true;
            });
  }

  @Override
  public void close() {
    Runtime.getRuntime().removeShutdownHook(hook);
    clean();
  }

  private void clean() {
    List<RuntimeException> failures = new ArrayList<>();
    attempt(failures, () -> Commands.run("umount", bpffs.toString()));
    attempt(failures, () -> delete(bpffs));
    attempt(failures, () -> empty(cgroup));
    attempt(failures, () -> deleteTree(cgroup));
    attempt(failures, () -> Commands.run("ip", "netns", "del", name));
    if (!failures.isEmpty()) {
      IllegalStateException all = new IllegalStateException("could not clean up " + name);
      failures.forEach(all::addSuppressed);
      throw all;
    }
  }

  /** Ends what still runs in the group: a process that was told to end stays in it for a moment. */
  private static void empty(Path group) {
    try {
      Files.writeString(group.resolve("cgroup.kill"), "1");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Awaitility.await()
        .pollInterval(Duration.ofMillis(5))
        .until(() -> Files.readString(group.resolve("cgroup.events")).contains("populated 0"));
  }

  private static void deleteTree(Path group) {
    try (DirectoryStream<Path> children =
        Files.newDirectoryStream(group, path -> Files.isDirectory(path))) {
      children.forEach(KernelSandbox::deleteTree);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    delete(group);
  }

  private static void delete(Path path) {
    try {
      Files.delete(path);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void attempt(List<RuntimeException> failures, Runnable step) {
    try {
      step.run();
    } catch (RuntimeException e) {
      failures.add(e);
    }
  }
}
