// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The lab for a person at a terminal; called by scripts/lab. */
@Command(name = "lab", description = "A Kubernetes cluster of several nodes on this machine.")
public final class LabMain {
  @Option(
      names = "--name",
      defaultValue = "${env:LAB:-default}",
      scope = CommandLine.ScopeType.INHERIT,
      description = "Which lab (default: ${DEFAULT-VALUE}).")
  String name = "default";

  private LabMain() {}

  /** Runs one command; exits with its status. */
  public static void main(String... arguments) {
    var line = new CommandLine(new LabMain());
    line.setExecutionExceptionHandler(
        (exception, command, result) -> {
          if (!(exception instanceof LabException)) {
            throw exception;
          }
          command.getErr().println("lab: " + exception.getMessage());
          return 1;
        });
    System.exit(line.execute(arguments));
  }

  @Command(description = "Brings the lab up.")
  int up(
      @Option(names = "--nodes", defaultValue = "3", description = "How many nodes.") int nodes,
      @Option(
              names = "--kube-proxy",
              defaultValue = "IPTABLES",
              description = "${COMPLETION-CANDIDATES}")
          KubeProxyMode mode,
      @Option(names = "--image", description = "A docker-archive for all nodes.")
          List<java.nio.file.Path> images) {
    var began = System.nanoTime();
    var options = new LabOptions(name, nodes, mode, images == null ? List.of() : images);
    var undo = new Thread(() -> Lab.undo(name));
    Runtime.getRuntime().addShutdownHook(undo);
    var lab = Lab.up(options, step -> System.err.println("==> " + step));
    Runtime.getRuntime().removeShutdownHook(undo);
    System.err.printf("==> up after %.1f s%n", (System.nanoTime() - began) / 1e9);
    System.out.println("export KUBECONFIG=" + lab.kubeconfig());
    lab.detach();
    return 0;
  }

  @Command(description = "Takes the lab away, also when it was killed half-way.")
  int down() {
    Lab.down(name);
    System.err.println("==> nothing is left of lab '" + name + "'");
    return 0;
  }

  @Command(description = "Tells what runs.")
  int status() {
    var lab = Lab.attach(name);
    System.out.println("KUBECONFIG=" + lab.kubeconfig());
    lab.nodes()
        .forEach(
            node ->
                System.out.printf(
                    "%s %s %s %s%n",
                    node.name(),
                    node.address4(),
                    node.address6(),
                    node.running() ? "running" : "stopped"));
    System.out.print(lab.kubectl("get", "nodes,pods", "-A").out());
    return 0;
  }

  @Command(
      description =
          "Opens a shell in a node, or in the client outside; runs a command there if one follows.")
  int shell(
      @Parameters(index = "0", description = "node-1, node-2, … or client.") String node,
      @Parameters(index = "1..*", description = "What to run (default: bash).")
          List<String> command) {
    var lab = Lab.attach(name);
    String[] line = command == null ? new String[] {"bash"} : command.toArray(String[]::new);
    return io.pointsman.lab.Command.interactive(
        node.equals("client") ? lab.client().command(line) : lab.node(node).command(line));
  }

  @Command(description = "Runs kubectl as the administrator of the lab.")
  int kubectl(@Parameters(description = "kubectl's own arguments.") List<String> arguments) {
    var lab = Lab.attach(name);
    var line = new java.util.ArrayList<>(List.of(lab.binaries().resolve("kubectl").toString()));
    line.add("--kubeconfig=" + lab.kubeconfig());
    if (arguments != null) {
      line.addAll(arguments);
    }
    return io.pointsman.lab.Command.interactive(line);
  }

  @Command(
      name = "test-image",
      description = "Prints the docker-archive of the tests' servers and clients.")
  int testImage() {
    System.out.println(Images.testImage());
    return 0;
  }

  @Command(description = "Puts a docker-archive into all nodes.")
  int load(@Parameters(description = "The archive.") java.nio.file.Path archive) {
    Lab.attach(name).loadImage(archive);
    return 0;
  }
}
