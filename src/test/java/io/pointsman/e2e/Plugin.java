// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.testing.Programs;
import io.pointsman.testing.Project;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** {@code kubectl pointsman} as a person has it: installed by the script, found in the PATH. */
final class Plugin {
  private final TestCluster cluster;
  private final Path home;

  private Plugin(TestCluster cluster, Path home) {
    this.cluster = cluster;
    this.home = home;
  }

  /** Installs it into a folder. */
  static Plugin install(TestCluster cluster, Path home) {
    var plugin = new Plugin(cluster, home);
    var installed = plugin.finish(plugin.process("scripts/install-plugin", home.toString()));
    assertThat(installed.exit()).as(installed.toString()).isZero();
    return plugin;
  }

  /** How a command has ended. */
  record Ended(int exit, String out, String err) {
    @Override
    public String toString() {
      return "exit " + exit + "\n" + out + err;
    }
  }

  /** Runs it to its end. */
  Ended run(String... arguments) {
    return finish(start(arguments));
  }

  /**
   * Starts it. What a shell starts in the background, also these tests, ignores Ctrl-C, and so
   * would the command.
   */
  Process start(String... arguments) {
    var command =
        new ArrayList<>(
            List.of(
                "env", "--default-signal=INT", Programs.path("kubectl").toString(), "pointsman"));
    command.addAll(List.of(arguments));
    return process(command.toArray(String[]::new));
  }

  /** Presses Ctrl-C and waits for the end. */
  Ended interrupted(Process process) {
    interrupt(process);
    return finish(process);
  }

  /** Presses Ctrl-C. */
  static void interrupt(Process process) {
    try {
      var exit = new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
      assertThat(exit).isZero();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while a signal was sent", e);
    }
  }

  private Process process(String... command) {
    var builder =
        new ProcessBuilder(command)
            .directory(Project.folder().toFile())
            .redirectError(errors().toFile());
    var environment = builder.environment();
    environment.put("KUBECONFIG", cluster.lab().kubeconfig().toString());
    environment.merge("PATH", home.resolve("bin").toString(), (path, bin) -> bin + ":" + path);
    environment.put("JAVA_HOME", System.getProperty("java.home"));
    try {
      var process = builder.start();
      process.getOutputStream().close();
      return process;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Ended finish(Process process) {
    try {
      var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Ended(process.waitFor(), out, Project.read(errors()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the plugin ran", e);
    }
  }

  private Path errors() {
    return home.resolve("errors.txt");
  }
}
