// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import io.pointsman.testing.Project;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Debian's own kernel in QEMU, with as many CPUs as this process may use. Where the machine cannot
 * run it on its processors (KVM), programs take 13 to 32 times as long in it.
 *
 * @param megabytes its memory, which is taken only as it is used
 * @param modules kernel modules that are loaded first; the kernel loads others as it needs them
 * @param patience how long it may say nothing new before it is ended
 */
public record StockKernel(int megabytes, List<String> modules, Duration patience)
    implements InnerMachine {
  /** Takes a copy. */
  public StockKernel {
    modules = List.copyOf(modules);
  }

  @Override
  public String title() {
    return "Debian's kernel in QEMU";
  }

  @Override
  public int run(String command, Watcher watcher) {
    String kernel = fetch();
    List<String> resources = List.of("/qemu/start.sh");
    return new InnerBoot(
            title(), resources, modules, patience, folder -> commandLine(folder, kernel))
        .run(command, watcher);
  }

  /** In namespaces of its own: no process and no mount is left whatever ends it. */
  private List<String> commandLine(Path folder, String kernel) {
    return List.of(
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child=KILL",
        InnerBoot.starter(folder).toString(),
        kernel,
        Integer.toString(megabytes));
  }

  /** The folder with the kernel, its modules and its first files. */
  private static String fetch() {
    try {
      Process script =
          new ProcessBuilder(Project.folder().resolve("scripts/stock-kernel").toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      script.getOutputStream().close();
      String folder = new String(script.getInputStream().readAllBytes()).strip();
      if (script.waitFor() != 0) {
        throw new IllegalStateException("scripts/stock-kernel failed: see what it printed");
      }
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while fetching a kernel", e);
    }
  }
}
