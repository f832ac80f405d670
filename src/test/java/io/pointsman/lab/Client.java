// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.util.ArrayList;
import java.util.List;

/**
 * The client outside the cluster: a network namespace of its own on the nodes' network, IPv4 and
 * IPv6. It has routes to the pods, so that "direct to the pod" can be measured, and none to
 * Services.
 */
public final class Client {
  private final LabState state;
  private final Namespaces namespaces;

  Client(LabState state, Namespaces namespaces) {
    this.state = state;
    this.namespaces = namespaces;
  }

  void start() {
    var pidFile = state.folder().resolve("client.pid");
    namespaces.start(
        state.log("client"),
        List.of(
            "unshare",
            "--net",
            "sh",
            "-c",
            "echo $$ > \"$0\"; exec labinit hold",
            pidFile.toString()));
    if (!Processes.await(10, () -> pidFile.toFile().length() > 0)) {
      throw new LabException("the client did not start: see " + state.log("client"));
    }
    namespaces.ip(
        "link add client type veth peer name eth0 netns " + LabFolders.read(pidFile),
        "link set client master br0 up");
    ip(
        "link set lo up",
        "link set eth0 up",
        "addr add " + Addresses.CLIENT_4 + "/24 dev eth0",
        "addr add " + Addresses.CLIENT_6 + "/64 dev eth0 nodad");
  }

  void ip(String... lines) {
    Command.run(command("ip", "-batch", "-"), String.join("\n", lines) + "\n").check();
  }

  /** Runs a command in the client's network namespace; the lab's programs are in its PATH. */
  public CommandResult exec(String... command) {
    return Command.run(command(command));
  }

  /** The command line that runs {@code command} in the client, for a {@link ProcessBuilder}. */
  public List<String> command(String... command) {
    var pid = LabFolders.read(state.folder().resolve("client.pid"));
    var line = new ArrayList<>(List.of("nsenter", "-t", pid, "-n", "--"));
    line.addAll(List.of(command));
    return namespaces.enter(line);
  }
}
