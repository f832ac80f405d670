// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.dataplane.NodeFacts;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.dataplane.iptables.Discovery.Place;
import io.pointsman.kernel.Capabilities;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.Sysctl;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Looks at what this node allows; changes nothing. */
final class IptablesPreflight {
  private final IptablesOptions options;
  private final NodeFacts facts;
  private final List<Finding> findings = new ArrayList<>();

  IptablesPreflight(IptablesOptions options, NodeFacts facts) {
    this.options = options;
    this.facts = facts;
  }

  Preflight run() {
    if (!checkCapability("CAP_NET_ADMIN", Capabilities.NET_ADMIN)) {
      return new Preflight(findings);
    }
    Discovery discovery = Discovery.look(options);
    Variant variant = discovery.variant().orElse(null);
    if (variant == null) {
      add(
          Severity.BLOCKING,
          "IptablesMissing",
          "iptables-save and iptables-restore are not installed.",
          "Use the image that the project's Dockerfile builds.");
      return new Preflight(findings);
    }
    if (variant == Variant.LEGACY) {
      checkCapability("CAP_NET_RAW", Capabilities.NET_RAW);
    }
    checkPlaces(discovery, variant);
    discovery.places(variant).forEach(this::checkHidden);
    discovery.places(variant).forEach(place -> checkExtensions(place.tool));
    checkSettings();
    return new Preflight(findings);
  }

  private boolean checkCapability(String name, int number) {
    boolean held = facts.may(number);
    if (!held) {
      add(
          Severity.BLOCKING,
          "CapabilityMissing",
          "The agent runs without " + name + ".",
          "Add it to the agent's securityContext.capabilities.");
    }
    return held;
  }

  private void checkPlaces(Discovery discovery, Variant variant) {
    add(
        Severity.INFO,
        "IptablesVariant",
        "Rules are written by " + variant.text() + ", where this node's are.",
        "Nothing to do.");
    for (Variant other : Variant.values()) {
      List<Place> places = discovery.places(other);
      if (other != variant && places.stream().anyMatch(Place::used)) {
        boolean services = places.stream().anyMatch(place -> place.services);
        int rules = places.stream().mapToInt(place -> place.rules).sum();
        add(
            Severity.WARNING,
            "MixedIptables",
            "%d rule%s in %s and the others in %s%s."
                .formatted(
                    rules,
                    rules == 1 ? " is" : "s are",
                    other.text(),
                    variant.text(),
                    services ? "; both have chains of kube-proxy" : ""),
            "Let all programs on the node use the same iptables, and remove what the other one"
                + " left; packets pass both.");
      }
    }
    if (discovery.places(variant).stream().noneMatch(p -> p.tool.family() == Family.IPV6)) {
      add(
          Severity.INFO,
          "NoIpv6",
          "The kernel of this node has no IPv6.",
          "Nothing to do unless Services have IPv6 addresses.");
    }
  }

  private void checkHidden(Place place) {
    for (String table : place.hidden.names()) {
      if (Table.of(table) != null) {
        add(
            Severity.BLOCKING,
            "TableHidden",
            HiddenTables.why(place.tool, table) + ".",
            HiddenTables.remedy(place.tool, table));
      }
    }
  }

  private void checkExtensions(Iptables tool) {
    new ExtensionCheck(tool, FixedRules.EXAMPLES).find().ifPresent(findings::add);
    Set<String> missing = tool.unsupported(FixedRules.SCTP_EXAMPLE);
    if (!missing.isEmpty()) {
      add(
          Severity.WARNING,
          "ExtensionMissing",
          "Services of SCTP cannot be written: the kernel of this node lacks "
              + String.join(", ", missing)
              + " for "
              + tool.name()
              + ".",
          ExtensionCheck.remedy(tool, missing));
    }
  }

  private void checkSettings() {
    // A missing setting is no finding: the module that it belongs to is not used.
    if ("0".equals(facts.value(Sysctls.BRIDGE_CALLS))) {
      warn(
          "BridgesBypassIptables",
          Sysctls.BRIDGE_CALLS,
          "Packets that cross a bridge do not pass iptables, so that a pod cannot reach a pod of the"
              + " same node through a Service if a bridge connects them: 0 is");
    }
    if (!"1".equals(facts.value(Sysctls.ROUTE_LOCALNET))
        && !facts.writable(Sysctls.ROUTE_LOCALNET)) {
      warn(
          "LoopbackNotRouted",
          Sysctls.ROUTE_LOCALNET,
          "Node ports will not answer at 127.0.0.1: the agent may not write");
    }
  }

  private void warn(String reason, Sysctl setting, String message) {
    add(
        Severity.WARNING,
        reason,
        message + " " + setting.text() + ".",
        "On the node: sysctl -w " + setting.text() + "=1");
  }

  private void add(Severity severity, String reason, String message, String remedy) {
    findings.add(new Finding(severity, reason, message, remedy));
  }
}
