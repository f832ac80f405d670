// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A node of the lab: namespaces and cgroups of its own in which the real kubelet, containerd and
 * runc run. What a disk would keep over a power cut, its folder keeps over {@link #stop()}.
 */
public final class Node {
  private static final int SECONDS = 60;
  private final LabState state;
  private final Namespaces namespaces;
  private final int number;

  Node(LabState state, Namespaces namespaces, int number) {
    this.state = state;
    this.namespaces = namespaces;
    this.number = number;
  }

  /** Its name in the cluster: node-1, node-2, … */
  public String name() {
    return "node-" + number;
  }

  /** Its IPv4 address. */
  public String address4() {
    return Addresses.node4(number);
  }

  /** Its IPv6 address. */
  public String address6() {
    return Addresses.node6(number);
  }

  /** The host's side of its folders, with its logs. */
  public Path folder() {
    return state.node(number);
  }

  /** Its cgroup v2 as the machine sees it, below the root of the hierarchy. */
  public String cgroup() {
    return LabState.cgroup(state.options().name()) + "/" + name();
  }

  int number() {
    return number;
  }

  /** Whether it runs. */
  public boolean running() {
    return Files.exists(pidFile())
        && namespaces.exec("kill", "-0", LabFolders.read(pidFile())).ok();
  }

  /** Runs a command as a process of the node: in all its namespaces and in its cgroups. */
  public CommandResult exec(String... command) {
    return Command.run(command(command));
  }

  /** The command line that runs {@code command} in the node, for a {@link ProcessBuilder}. */
  public List<String> command(String... command) {
    var enter = state.folder().resolve("enter.sh").toString();
    var line = new ArrayList<>(List.of("sh", enter, LabFolders.read(pidFile()), cgroup()));
    line.addAll(List.of(command));
    return namespaces.enter(line);
  }

  /** Cuts its power: every process of it ends at once, its network and its memory are gone. */
  public void stop() {
    if (running()) {
      namespaces.exec("kill", "-KILL", LabFolders.read(pidFile())).check();
      if (!Processes.await(SECONDS, () -> !running())) {
        throw new LabException(name() + " does not end");
      }
    }
    try {
      Files.deleteIfExists(pidFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Cgroups.remove(cgroup());
  }

  /** Starts it again after {@link #stop()}; its kubelet joins the cluster by itself. */
  public void start() {
    boot();
    // Nodes may have been added and images loaded since this object was made.
    Routes.to(LabState.load(state.options().name()).nodes(), this);
    loadImages();
    startKubelet();
  }

  /** Namespaces, network and containerd: all that needs no API server. */
  void boot() {
    new NodeFiles(state, number).write();
    namespaces.start(
        log("node"),
        List.of(
            "sh",
            state.folder().resolve("node.sh").toString(),
            name(),
            folder().toString(),
            state.folder().toString(),
            LabFolders.cache().toString(),
            cgroup()));
    if (!Processes.await(SECONDS, this::running)) {
      throw new LabException(name() + " did not start: see " + log("node"));
    }
    connect();
    launch("containerd", "containerd", "--config", folder().resolve("containerd.toml").toString());
    if (!Processes.await(SECONDS, () -> exec("ctr", "version").ok())) {
      throw new LabException(
          "containerd of " + name() + " did not start: see " + log("containerd"));
    }
  }

  private void connect() {
    namespaces.ip(
        "link add n%d type veth peer name eth0 netns %s"
            .formatted(number, LabFolders.read(pidFile())),
        "link set n%d master br0 up".formatted(number));
    ip(
        "link set eth0 up",
        "addr add " + address4() + "/24 dev eth0",
        "addr add " + address6() + "/64 dev eth0 nodad",
        "route add 0.0.0.0/0 via " + Addresses.CONTROL_PLANE_4,
        "route add ::/0 via " + Addresses.CONTROL_PLANE_6);
  }

  void ip(String... lines) {
    Command.run(command("ip", "-batch", "-"), String.join("\n", lines) + "\n").check();
  }

  void startKubelet() {
    launch(
        "kubelet",
        "kubelet",
        "--config=" + folder().resolve("kubelet.yaml"),
        "--kubeconfig=" + folder().resolve("kubelet.kubeconfig"),
        "--hostname-override=" + name(),
        "--node-ip=" + address4() + "," + address6());
  }

  /** Imports the images that were put into the lab and that this node does not have yet. */
  void loadImages() {
    for (var archive : Images.kept(state.folder())) {
      var mark = folder().resolve("images").resolve(String.valueOf(archive.getFileName()));
      if (!Files.exists(mark)) {
        exec(
                "ctr",
                "-n",
                "k8s.io",
                "images",
                "import",
                "--local",
                "--snapshotter",
                "overlayfs",
                archive.toString())
            .check();
        LabFolders.write(mark, "");
      }
    }
  }

  /** Starts a program, and again whenever it ends, as an init system does. */
  private void launch(String program, String... command) {
    var again = new ArrayList<>(List.of("sh", "-c", "while :; do \"$0\" \"$@\"; sleep 1; done"));
    again.addAll(List.of(command));
    var detached = Namespaces.detached(log(program), again);
    Command.run(command(detached.toArray(String[]::new))).check();
  }

  private Path log(String program) {
    return folder().resolve(program + ".log");
  }

  private Path pidFile() {
    return folder().resolve("pid");
  }
}
