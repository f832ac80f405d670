// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/**
 * What another process must know to use a lab that runs; kept in lab.properties in its folder.
 *
 * @param options what the lab was asked to be
 * @param folder the lab's folder
 * @param binaries the folder of the programs it runs
 * @param pid its first process, as the machine numbers it
 * @param started when that process began, in the kernel's ticks: a number may be given out again
 * @param port where its API server answers on the machine's loopback
 * @param nodes the numbers of its nodes
 */
record LabState(
    LabOptions options,
    Path folder,
    Path binaries,
    long pid,
    long started,
    int port,
    List<Integer> nodes) {

  LabState {
    nodes = List.copyOf(nodes);
  }

  LabState withNodes(List<Integer> numbers) {
    return new LabState(options, folder, binaries, pid, started, port, numbers);
  }

  /** The folder of one node. */
  Path node(int number) {
    return folder.resolve("node-" + number);
  }

  Path log(String program) {
    return folder.resolve("logs").resolve(program + ".log");
  }

  Path pki() {
    return folder.resolve("pki");
  }

  /** The lab's cgroup below the root of each hierarchy. */
  static String cgroup(String name) {
    return "lab-" + name;
  }

  /** Whether the lab's first process still runs. */
  boolean alive() {
    return Processes.started(pid) == started;
  }

  void save() {
    var properties = new Properties();
    properties.setProperty("name", options.name());
    properties.setProperty("kubeProxyMode", options.kubeProxyMode().name());
    properties.setProperty("binaries", binaries.toString());
    properties.setProperty("pid", Long.toString(pid));
    properties.setProperty("started", Long.toString(started));
    properties.setProperty("port", Integer.toString(port));
    properties.setProperty("nodes", String.join(",", nodes.stream().map(n -> "" + n).toList()));
    var next = folder.resolve("lab.properties.next");
    try (var writer = Files.newBufferedWriter(next)) {
      properties.store(writer, null);
      writer.close();
      Files.move(next, folder.resolve("lab.properties"), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * The state of the lab of that name.
   *
   * @throws LabException when no such lab runs
   */
  static LabState load(String name) {
    var folder = LabFolders.lab(name);
    var file = folder.resolve("lab.properties");
    if (!Files.exists(file)) {
      throw new LabException("no lab '%s' is up: run 'make lab-up' first".formatted(name));
    }
    var properties = new Properties();
    try (var reader = Files.newBufferedReader(file)) {
      properties.load(reader);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var nodes = new ArrayList<Integer>();
    for (var number : properties.getProperty("nodes").split(",", -1)) {
      nodes.add(Integer.valueOf(number));
    }
    var mode = KubeProxyMode.valueOf(properties.getProperty("kubeProxyMode"));
    var state =
        new LabState(
            new LabOptions(name, nodes.size(), mode, List.of()),
            folder,
            Path.of(properties.getProperty("binaries")),
            Long.parseLong(properties.getProperty("pid")),
            Long.parseLong(properties.getProperty("started")),
            Integer.parseInt(properties.getProperty("port")),
            nodes);
    if (!state.alive()) {
      throw new LabException("lab '%s' was killed: run 'make lab-up' again".formatted(name));
    }
    return state;
  }
}
