// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.util.List;

/**
 * Programs of a lab that hang until this is closed: their connections stay open, and they answer
 * nothing and do nothing.
 */
public final class Hang implements AutoCloseable {
  private final List<Long> processes;

  private Hang(List<Long> processes) {
    this.processes = processes;
    signal("-STOP");
  }

  /** The API server hangs. */
  public static Hang apiServer(Lab lab) {
    var certificate = lab.kubeconfig().resolveSibling("pki").resolve("apiserver.crt");
    return of(List.of("--tls-cert-file=" + certificate));
  }

  /** The kubelets of all nodes hang. */
  public static Hang kubelets(Lab lab) {
    return of(
        lab.nodes().stream()
            .map(node -> "--config=" + node.folder().resolve("kubelet.yaml"))
            .toList());
  }

  private static Hang of(List<String> arguments) {
    return new Hang(arguments.stream().flatMap(argument -> processes(argument).stream()).toList());
  }

  /** The program, and the shell that would start it again. */
  private static List<Long> processes(String argument) {
    var found = Processes.withArgument(argument);
    if (found.isEmpty()) {
      throw new LabException("no process has the argument " + argument);
    }
    return found;
  }

  @Override
  public void close() {
    signal("-CONT");
  }

  private void signal(String signal) {
    processes.forEach(pid -> Command.run(List.of("kill", signal, pid.toString())).check());
  }
}
