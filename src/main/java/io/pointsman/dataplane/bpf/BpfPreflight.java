// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.kernel.Capabilities;
import io.pointsman.kernel.Cgroups;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Features;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.LockLimit;
import io.pointsman.kernel.MapInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Looks at what this node allows; changes nothing. */
final class BpfPreflight {
  private static final int SYS_ADMIN = 21;
  private static final int SYS_RESOURCE = 24;
  private static final int PERFMON = 38;
  private static final int BPF = 39;
  private static final int FEW_PORTS = 4096;
  private static final int HELPER_BOOT_CLOCK = 125; // BPF_FUNC_ktime_get_boot_ns
  private static final int HELPER_NETNS_COOKIE = 122; // BPF_FUNC_get_netns_cookie

  private final BpfOptions options;
  private final DataplaneSettings settings;
  private final BpfFacts facts;
  private final List<Finding> findings = new ArrayList<>();

  BpfPreflight(BpfOptions options, DataplaneSettings settings, BpfFacts facts) {
    this.options = options;
    this.settings = settings;
    this.facts = facts;
  }

  Preflight run() {
    checkKernel();
    boolean mayProbe = checkCapabilities() & checkLibrary();
    if (mayProbe) {
      checkLockLimit();
      checkFeatures();
    }
    checkBpffs();
    checkPins();
    findings.addAll(ForeignPins.find(options.pinRoot().resolveSibling("").toAbsolutePath()));
    boolean cgroup = checkCgroup();
    checkMasquerade();
    if (mayProbe) {
      checkForwarding();
    }
    if (mayProbe && cgroup) {
      findings.addAll(new ForeignPrograms(options).find());
    }
    return new Preflight(findings);
  }

  private void checkKernel() {
    Features.KernelVersion version = facts.kernel();
    if (!version.atLeast(5, 10)) {
      block(
          "KernelTooOld",
          "The kernel is " + version.text() + "; the BPF dataplane needs 5.10 or newer.",
          "Boot a newer kernel, or choose another dataplane.");
    }
    if (!facts.btf()) {
      add(
          Severity.INFO,
          "NoBtf",
          "The kernel carries no type information (/sys/kernel/btf/vmlinux).",
          "Nothing to do; tools show less of the maps.");
    }
  }

  private boolean checkLibrary() {
    try {
      add(Severity.INFO, "Libbpf", "libbpf is " + facts.libbpf() + ".", "Nothing to do.");
      return true;
    } catch (IllegalStateException e) {
      block(
          "LibbpfMissing",
          String.valueOf(e.getMessage()),
          "Use the image that the project's Dockerfile builds.");
      return false;
    }
  }

  /** Capabilities of this process; CAP_SYS_ADMIN stands for the two that were split off it. */
  private boolean checkCapabilities() {
    boolean all = facts.may(SYS_ADMIN);
    Map<String, Boolean> needed = new LinkedHashMap<>();
    needed.put("CAP_NET_ADMIN", facts.may(Capabilities.NET_ADMIN));
    needed.put("CAP_BPF", all || facts.may(BPF));
    needed.put("CAP_PERFMON", all || facts.may(PERFMON));
    needed.forEach(
        (name, present) -> {
          if (!present) {
            block(
                "CapabilityMissing",
                "The agent runs without " + name + ".",
                "Add it to the agent's securityContext.capabilities.");
          }
        });
    return !needed.containsValue(false);
  }

  private void checkFeatures() {
    Map<String, Boolean> features = new LinkedHashMap<>();
    features.put("programs at sockets", facts.programType(Features.PROGRAM_TYPE_SOCK_ADDR));
    features.put("programs at devices", facts.programType(Features.PROGRAM_TYPE_TC));
    features.put("hash maps", facts.mapType(Features.MAP_TYPE_HASH));
    features.put("LRU hash maps", facts.mapType(Features.MAP_TYPE_LRU_HASH));
    features.put("per-CPU arrays", facts.mapType(Features.MAP_TYPE_PERCPU_ARRAY));
    features.put("the boot clock", facts.helper(Features.PROGRAM_TYPE_TC, HELPER_BOOT_CLOCK));
    features.put(
        "network namespace cookies",
        facts.helper(Features.PROGRAM_TYPE_SOCK_ADDR, HELPER_NETNS_COOKIE));
    features.forEach(
        (name, present) -> {
          if (!present) {
            block(
                "FeatureMissing",
                "The kernel's BPF lacks " + name + ", or does not let the agent use it.",
                "Boot a kernel with CONFIG_BPF_SYSCALL, CONFIG_CGROUP_BPF and CONFIG_NET_CLS_BPF"
                    + " that does not lock BPF down.");
          }
        });
  }

  /** Before 5.11 all of a map counts as locked memory. libbpf lifts the limit where it may. */
  private void checkLockLimit() {
    if (facts.kernel().atLeast(5, 11) || facts.may(SYS_RESOURCE)) {
      return;
    }
    LockLimit limit = facts.lockLimit();
    if (limit.most() == LockLimit.UNLIMITED) {
      return;
    }
    Map<String, Long> full = new HashMap<>();
    List<MapInfo> maps = Programs.definitions(options.sizes());
    maps.forEach(map -> full.put(map.name(), (long) map.maxEntries()));
    long needed = MapMemory.bytes(maps, full);
    if (limit.now() < needed) {
      block(
          "LockLimitTooLow",
          "The kernel %s counts maps as locked memory: %d MiB are needed, and the agent may lock %d KiB."
              .formatted(facts.kernel().text(), needed >> 20, limit.now() >> 10),
          "On the node, set LimitMEMLOCK=infinity in the unit of the container runtime and restart"
              + " it; or add SYS_RESOURCE to the agent's securityContext.capabilities; or boot 5.11"
              + " or newer.");
    }
  }

  private void checkBpffs() {
    Path existing = options.pinRoot();
    while (!Files.exists(existing)) {
      Path parent = existing.getParent();
      if (parent == null) {
        break;
      }
      existing = parent;
    }
    if (!Features.isBpffs(existing)) {
      block(
          "BpffsMissing",
          options.pinRoot() + " is not in a bpffs.",
          "Mount one on the host and in the agent's pod: mount -t bpf bpf /sys/fs/bpf");
    }
  }

  private void checkPins() {
    List<String> others = new Pins(options.pinRoot()).otherVersions();
    if (!others.isEmpty()) {
      block(
          "OtherLayout",
          options.pinRoot()
              + " holds pins of another layout: "
              + String.join(", ", others)
              + "; this agent's is v"
              + Layout.VERSION
              + ".",
          "Give the node back to kube-proxy with the version that made them, then try again.");
    }
  }

  private boolean checkCgroup() {
    try {
      Path root = options.cgroupRoot();
      if (Cgroups.isCgroup2(root)) {
        return true;
      }
      block(
          "CgroupV2Missing",
          root + " is not in a cgroup2 file system.",
          "Give the agent the node's cgroup2 root.");
    } catch (DataplaneException e) {
      block(
          "CgroupV2Missing",
          String.valueOf(e.getMessage()),
          "Mount the host's cgroup2 into the agent's pod.");
    }
    return false;
  }

  private void checkMasquerade() {
    MasqueradeRange range = MasqueradeRange.find(settings.nodePortLow(), settings.nodePortHigh());
    if (range.equals(MasqueradeRange.NONE)) {
      block(
          "NoMasqueradePorts",
          "Every port is a node port, one of the host's own, or reserved.",
          "Make net.ipv4.ip_local_port_range or the node port range smaller.");
    } else if (range.size() < FEW_PORTS) {
      add(
          Severity.WARNING,
          "FewMasqueradePorts",
          "Only the ports %d to %d are neither node ports nor the host's own nor reserved: of the flows that need an address of this node, so many can go to one backend at a time."
              .formatted(range.low(), range.high()),
          "Make net.ipv4.ip_local_port_range or the node port range smaller if there may be more.");
    }
  }

  /** The programs accept nothing at a firewall: a packet that they translate passes it as any. */
  private void checkForwarding() {
    for (Family family : Family.values()) {
      for (Variant variant : Variant.values()) {
        Iptables tool = new Iptables(new CommandRunner(), family, variant);
        if (facts.dropsForwarded(tool)) {
          add(
              Severity.WARNING,
              "ForwardingDropped",
              "The policy of the chain FORWARD of %s is DROP: what goes to pods is dropped unless a rule accepts it, and kube-proxy's go with it."
                  .formatted(tool.name()),
              "See that the CNI accepts what goes to pods and comes from them, or accept it: "
                  + tool.name()
                  + " -P FORWARD ACCEPT");
        }
      }
    }
  }

  private void block(String reason, String message, String remedy) {
    add(Severity.BLOCKING, reason, message, remedy);
  }

  private void add(Severity severity, String reason, String message, String remedy) {
    findings.add(new Finding(severity, reason, message, remedy));
  }
}
