// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.dataplane.iptables.ExtensionCheck;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.DummyDevice;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.VirtualServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Looks at what this node allows; changes nothing but that the kernel may load ip_vs. */
final class IpvsPreflight {
  private final IpvsOptions options;
  private final String scheduler;
  private final IpvsFacts facts;
  private final Modules modules;
  private final List<Finding> findings = new ArrayList<>();

  IpvsPreflight(IpvsOptions options, String scheduler, IpvsFacts facts) {
    this.options = options;
    this.scheduler = scheduler;
    this.facts = facts;
    this.modules = facts.modules();
  }

  Preflight run() {
    boolean sets = checkSets();
    checkRules();
    boolean device = checkDevice();
    Optional<IpvsNetlink> found = open();
    if (found.isPresent()) {
      try (IpvsNetlink ipvs = found.get()) {
        new SchedulerCheck(modules, scheduler).find().ifPresent(findings::add);
        new Settings(options).readOnly(facts).ifPresent(findings::add);
        if (sets && device) {
          checkForeign(ipvs);
        }
      }
    }
    return new Preflight(findings);
  }

  private Optional<IpvsNetlink> open() {
    String kernel = facts.kernel().text();
    try {
      Optional<IpvsNetlink> found = facts.ipvs();
      if (found.isEmpty()) {
        block(
            "IpvsMissing",
            "The kernel " + kernel + " of this node has no ip_vs.",
            modules.state("ip_vs") == Modules.State.LOADABLE
                ? "Load it on the node: modprobe ip_vs"
                : "Boot a kernel with CONFIG_IP_VS, or choose another dataplane.");
      } else {
        // Only who may change virtual servers may read them.
        found.get().timeouts();
      }
      return found;
    } catch (KernelException e) {
      if (e.errno() != Errno.EPERM) {
        throw e;
      }
      block(
          "CapabilityMissing",
          "The agent runs without CAP_NET_ADMIN.",
          "Add it to the agent's securityContext.capabilities.");
      return Optional.empty();
    }
  }

  private boolean checkSets() {
    if (!options.commands().has("ipset")) {
      block(
          "IpsetMissing",
          "ipset is not installed.",
          "Use the image that the project's Dockerfile builds.");
      return false;
    }
    try {
      sets().names();
      return true;
    } catch (CommandException e) {
      block(
          "IpsetMissing",
          "The kernel of this node has no IP sets, or the agent may not use them: "
              + e.getMessage(),
          "Load them on the node: modprobe ip_set_hash_ipportip; or choose another dataplane.");
      return false;
    }
  }

  private void checkRules() {
    RulePlaces places = RulePlaces.look(options);
    if (places.none()) {
      block(
          "IptablesMissing",
          "Neither iptables-nft-save nor iptables-legacy-save works on this node.",
          "Use the image that the project's Dockerfile builds, on a kernel with CONFIG_NF_TABLES or"
              + " CONFIG_IP_NF_IPTABLES.");
      return;
    }
    if (places.mixed()) {
      add(
          Severity.WARNING,
          "MixedIptables",
          "This node has rules both of iptables-nft and of iptables-legacy.",
          "Have every program on the node use the same iptables.");
    }
    for (Rules rules : places.rules()) {
      checkHidden(rules);
      new ExtensionCheck(rules.tool(), RulePlan.EXAMPLES).find().ifPresent(findings::add);
    }
  }

  private void checkHidden(Rules rules) {
    for (String table : rules.hidden()) {
      block(
          "TableHidden",
          HiddenTables.why(rules.tool(), table) + ".",
          HiddenTables.remedy(rules.tool(), table));
    }
  }

  private boolean checkDevice() {
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE)) {
      if (!device.exists() && modules.state("dummy") == Modules.State.MISSING) {
        block(
            "DummyMissing",
            "The kernel of this node has no dummy devices, which hold the Services' addresses.",
            "Install the module and load it: modprobe dummy");
      }
      return true;
    } catch (KernelException e) {
      block(
          "DeviceTaken",
          String.valueOf(e.getMessage()),
          "Rename or delete the device: ip link delete " + IpvsDataplane.DEVICE);
      return false;
    }
  }

  private void checkForeign(IpvsNetlink ipvs) {
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE)) {
      Ownership ownership =
          new Ownership(
              options,
              sets().read(),
              device.addresses(),
              Placement.takenOver(Note.parse(device.alias()), device),
              Set.of());
      List<VirtualServer> foreign =
          ipvs.virtualServers().stream()
              .map(info -> info.server())
              .filter(server -> !ownership.owns(server))
              .toList();
      if (!foreign.isEmpty()) {
        add(
            Severity.INFO,
            "ForeignVirtualServers",
            "Virtual servers of others stay untouched: "
                + foreign.getFirst()
                + (foreign.size() == 1 ? "" : " and " + (foreign.size() - 1) + " more")
                + ".",
            "Nothing to do.");
      }
    }
  }

  private IpSets sets() {
    return new IpSets(options.commands(), List.of(IpFamily.values()));
  }

  private void block(String reason, String message, String remedy) {
    add(Severity.BLOCKING, reason, message, remedy);
  }

  private void add(Severity severity, String reason, String message, String remedy) {
    findings.add(new Finding(severity, reason, message, remedy));
  }
}
