// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;

/** What of this machine a lab could leave changed, as text that can be compared. */
final class MachineListing {
  private static final Path PROC = Path.of("/proc");

  /** Folders and files that the programs of a node use on a real node. */
  private static final List<String> NODE_PATHS =
      List.of(
          "/run/netns",
          "/run/containerd",
          "/run/xtables.lock",
          "/run/cni",
          "/var/lib/kubelet",
          "/var/lib/containerd",
          "/var/lib/cni",
          "/var/lib/kube-proxy",
          "/var/log/pods",
          "/var/log/containers",
          "/etc/cni",
          "/etc/kubernetes",
          "/opt/cni",
          "/opt/containerd");

  private MachineListing() {}

  /** Links of the machine's network, its mounts, its cgroups, and which node paths exist. */
  static Set<String> outside() {
    var all = new TreeSet<String>();
    for (var line : Command.run(List.of("ip", "-o", "link")).check().out().split("\n", -1)) {
      all.add("link " + line.split(": ", 3)[Math.min(1, line.split(": ", 3).length - 1)]);
    }
    for (var line : LabFolders.read(Path.of("/proc/self/mountinfo")).split("\n", -1)) {
      all.add("mount " + line.split(" ", -1)[4]);
    }
    Cgroups.hierarchies().forEach(hierarchy -> cgroups(hierarchy, all));
    NODE_PATHS.stream().filter(p -> Files.exists(Path.of(p))).forEach(p -> all.add("path " + p));
    return all;
  }

  private static void cgroups(Path hierarchy, Set<String> all) {
    var folders = Command.run(List.of("find", hierarchy.toString(), "-type", "d")).out();
    Arrays.stream(folders.split("\n", -1)).forEach(folder -> all.add("cgroup " + folder));
  }

  /** Every process of the machine, told from others by when it began, with its namespaces. */
  static Map<String, Set<String>> processes() {
    var all = new TreeMap<String, Set<String>>();
    pids().forEach(pid -> all.put(name(pid), namespaces(pid)));
    return all;
  }

  /** The processes in the PID namespace of {@code pid} or one below it. */
  static Set<String> inside(long pid) {
    var root = link(PROC.resolve(pid + "/ns/pid"));
    var all = new TreeSet<String>();
    pids().filter(other -> isInside(other, pid, root)).forEach(other -> all.add(name(other)));
    return all;
  }

  private static String name(long pid) {
    return "process %d started %d".formatted(pid, Processes.started(pid));
  }

  /** The lab's processes are in its PID namespace or descend from one that is. */
  private static boolean isInside(long pid, long lab, String root) {
    if (pid == lab || root.equals(link(PROC.resolve(pid + "/ns/pid")))) {
      return true;
    }
    return ProcessHandle.of(pid)
        .flatMap(ProcessHandle::parent)
        .map(parent -> parent.pid() != 1 && isInside(parent.pid(), lab, root))
        .orElse(false);
  }

  /** The namespaces of a process. */
  static Set<String> namespaces(long pid) {
    var all = new TreeSet<String>();
    for (var kind : List.of("pid", "net", "mnt", "ipc", "uts", "cgroup")) {
      var target = link(PROC.resolve(pid + "/ns/" + kind));
      if (!target.isEmpty()) {
        all.add("namespace " + target);
      }
    }
    return all;
  }

  private static Stream<Long> pids() {
    try (var entries = Files.list(PROC)) {
      return entries
          .map(entry -> String.valueOf(entry.getFileName()))
          .filter(name -> name.chars().allMatch(Character::isDigit))
          .map(Long::valueOf)
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String link(Path path) {
    try {
      return Files.readSymbolicLink(path).toString();
    } catch (IOException e) {
      // The process ended while we were looking.
      return "";
    }
  }
}
