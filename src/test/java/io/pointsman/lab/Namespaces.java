// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** The namespaces that all of a lab lives in, and the ways into them. */
final class Namespaces {
  private final LabState state;

  Namespaces(LabState state) {
    this.state = state;
  }

  /** {@code command} as it must be run to run inside the lab: the control plane's namespaces. */
  List<String> enter(Collection<String> command) {
    var line = new ArrayList<>(List.of("nsenter", "-t", Long.toString(state.pid())));
    line.addAll(List.of("-m", "-n", "-p", "-i", "--", "env", "PATH=" + path()));
    line.addAll(command);
    return line;
  }

  CommandResult exec(String... command) {
    return Command.run(enter(List.of(command)));
  }

  /** Runs lines of iproute2 commands, without the word ip, as one batch. */
  void ip(String... lines) {
    Command.run(enter(List.of("ip", "-batch", "-")), String.join("\n", lines) + "\n").check();
  }

  /** Starts a program inside the lab that goes on when this process ends. */
  void start(Path log, Collection<String> command) {
    Command.run(enter(detached(log, command))).check();
  }

  /** {@code command} in a session of its own, its output in {@code log}. */
  static List<String> detached(Path log, Collection<String> command) {
    var line =
        new ArrayList<>(
            List.of("setsid", "-f", "sh", "-c", "exec \"$@\" >>\"$0\" 2>&1 </dev/null"));
    line.add(log.toString());
    line.addAll(command);
    return line;
  }

  private String path() {
    return state.binaries() + ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  }
}
