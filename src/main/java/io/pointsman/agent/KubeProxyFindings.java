// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.verify.kubeproxy.Difference;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What preflight says of the kube-proxy that the node is to be taken from. One whose rules are
 * wrong blocks: a switch begins where Services are served, and its way back leads there.
 */
final class KubeProxyFindings {
  private static final String RESTART =
      "Look at the log of kube-proxy's pod on this node and delete the pod: a new one writes all of"
          + " its rules. 'kubectl pointsman verify kube-proxy --node' shows the rest.";

  private KubeProxyFindings() {}

  /** Findings about differences that have lasted. */
  static List<Finding> of(KubeProxyVerdict verdict) {
    if (verdict.mode().isEmpty()) {
      return List.of(
          new Finding(
              Severity.WARNING,
              "KubeProxyAbsent",
              "The kernel holds no rules of a kube-proxy.",
              "Nothing to do on a node that has just joined; else see why kube-proxy does not"
                  + " run."));
    }
    List<Finding> findings = new ArrayList<>();
    Set<Difference> services = new LinkedHashSet<>();
    verdict.services().forEach(each -> services.addAll(each.differences()));
    add(findings, Severity.BLOCKING, "KubeProxyBehind", services, RESTART);
    Set<Difference> broken = new LinkedHashSet<>(verdict.failures());
    broken.removeAll(services);
    add(findings, Severity.BLOCKING, "KubeProxyBroken", broken, RESTART);
    Set<Difference> foreign = new LinkedHashSet<>(verdict.others());
    foreign.removeAll(broken);
    add(
        findings,
        Severity.WARNING,
        "KubeProxyForeignRules",
        foreign,
        "See who writes them; they go when kube-proxy's own chains and tables are removed.");
    return findings;
  }

  /** Earlier modes have left this, in words. */
  static Finding leftovers(KubeProxyMode running, String what) {
    return new Finding(
        Severity.WARNING,
        "KubeProxyLeftovers",
        "kube-proxy runs in " + running.text() + " mode, and other modes have left: " + what + ".",
        "Nothing to do: it goes with kube-proxy's own when the switch has succeeded. Without a"
            + " switch, 'kube-proxy --cleanup' in its image takes all modes' rules away; then"
            + " delete its pod.");
  }

  /** The same on a node that no kube-proxy serves. */
  static Finding leftovers(String what) {
    return new Finding(
        Severity.WARNING,
        "KubeProxyLeftovers",
        "A kube-proxy has left in the kernel: " + what + ".",
        "Nothing to do where none runs: it goes when the switch has succeeded. One that runs here"
            + " writes it again: turn it off first.");
  }

  /** The rules could not be looked at. */
  static List<Finding> unreadable(@Nullable String why) {
    return List.of(
        new Finding(
            Severity.WARNING,
            "KubeProxyUnreadable",
            "kube-proxy's rules could not be read. " + why,
            "See that the agent has the capabilities NET_ADMIN and NET_RAW."));
  }

  private static void add(
      List<Finding> findings,
      Severity severity,
      String reason,
      Set<Difference> differences,
      String remedy) {
    if (!differences.isEmpty()) {
      findings.add(new Finding(severity, reason, KubeProxyCheck.sentence(differences), remedy));
    }
  }
}
