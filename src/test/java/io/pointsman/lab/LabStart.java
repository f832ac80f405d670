// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.function.Consumer;

/** Brings one lab up. */
final class LabStart {
  private static final int FIRST_PORT = 20_000;
  private static final int PORTS = 8_000;

  private final LabOptions options;
  private final Consumer<String> progress;

  LabStart(LabOptions options, Consumer<String> progress) {
    this.options = options;
    this.progress = progress;
  }

  Lab run() {
    progress.accept("programs and images");
    var binaries = Binaries.folder();
    var images = new Images(binaries, progress).unpacked(options.images());
    loadModules();
    var state = anchor(binaries, images);
    var namespaces = new Namespaces(state);
    var control = new ControlPlane(state, namespaces);
    progress.accept("control plane, on https://127.0.0.1:" + state.port());
    control.createNetwork();
    control.createCredentials();
    control.start();
    new Client(state, namespaces).start();
    state.save();
    var lab = Lab.of(state, progress);
    try {
      join(lab, control);
      return lab;
    } catch (RuntimeException e) {
      lab.detach();
      throw e;
    }
  }

  /** Boots the nodes while the API server starts, then lets them join. */
  private void join(Lab lab, ControlPlane control) {
    progress.accept("nodes: " + String.join(", ", lab.nodes().stream().map(Node::name).toList()));
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var booted =
          CompletableFuture.runAsync(
              () -> {
                Lab.parallel(lab.nodes(), Node::boot);
                lab.routes().all(lab.nodes());
              },
              threads);
      if (!Processes.await(120, lab::answers)) {
        throw new LabException("the API server does not answer: see the logs of the lab");
      }
      control.startControllers();
      lab.nodes().forEach(node -> Addons.register(lab.kubernetes(), node));
      var manifests = lab.kubeconfig().resolveSibling("addons.yaml");
      LabFolders.write(manifests, Addons.manifests(options));
      lab.kubectl("apply", "--server-side", "-f", manifests.toString()).check();
      Lab.join(booted);
    }
    progress.accept("kubelets, kube-proxy and CoreDNS");
    Lab.parallel(lab.nodes(), Node::startKubelet);
    lab.awaitReady(options.nodes());
  }

  /** Starts the lab's first process, which everything else in it is a descendant of. */
  private LabState anchor(Path binaries, Path images) {
    var folder = LabFolders.lab(options.name());
    LabFolders.create(folder.resolve("logs"));
    LabFolders.write(folder.resolve("bin"), binaries.toString());
    for (var script : List.of("node.sh", "enter.sh")) {
      LabFolders.write(folder.resolve(script), Template.raw(script));
    }
    LabFolders.write(folder.resolve("imported"), images.toString());
    var port = FIRST_PORT + Math.floorMod(options.name().hashCode(), PORTS);
    var pidFile = folder.resolve("pid");
    var command =
        List.of(
            binaries.resolve("labinit").toString(),
            "lab",
            "127.0.0.1:" + port,
            Addresses.CONTROL_PLANE_4 + ":" + Addresses.API_PORT,
            pidFile.toString());
    var log = folder.resolve("logs/lab.log");
    Command.run(Namespaces.detached(log, command)).check();
    if (!Processes.await(10, () -> Files.exists(pidFile))) {
      throw new LabException("the lab did not start: " + LabFolders.read(log));
    }
    var numbers = LabFolders.read(pidFile).split(" ", -1);
    var pid = Long.parseLong(numbers[0]);
    return new LabState(
        options,
        folder,
        binaries,
        pid,
        Processes.started(pid),
        Integer.parseInt(numbers[1]),
        Lab.numbers(options.nodes()));
  }

  /** Asks for the kernel modules that a node needs; a kernel may have them built in. */
  private static void loadModules() {
    if (new File("/lib/modules/" + System.getProperty("os.version")).isDirectory()) {
      Command.run(
          List.of(
              "modprobe", "-a", "-q", "overlay", "br_netfilter", "nf_conntrack", "veth", "bridge"));
    }
  }
}
