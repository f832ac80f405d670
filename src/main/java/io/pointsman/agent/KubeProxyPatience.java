// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.PreflightFinding;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.verify.kubeproxy.Difference;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * An agent's patience with a kube-proxy, for one who looks at it from elsewhere: what one look has
 * found counts only when every look of a while has found it.
 */
public final class KubeProxyPatience {
  private static final Set<String> PASSING = Set.of("KubeProxyBehind", "KubeProxyBroken");
  private static final Set<String> OF_RULES =
      Set.of("KubeProxyBehind", "KubeProxyBroken", "KubeProxyForeignRules", "KubeProxyAbsent");

  private final KubeProxyCheck check;
  private boolean settled;

  /** With the time that a difference may last. */
  public KubeProxyPatience(Duration window, LongSupplier clock) {
    this.check = new KubeProxyCheck(window, clock);
  }

  /** How long an agent lets one last in a cluster of so many Service ports. */
  public static Duration window(int servicePorts) {
    return KubeProxyCheck.window(servicePorts);
  }

  /** Whether an answer of one look has what may pass. */
  public static boolean isNeededFor(NodeDataplaneStatus answer) {
    return answer.preflight.stream().anyMatch(finding -> PASSING.contains(finding.reason));
  }

  /**
   * Takes one look; true when no other is needed.
   *
   * @param services as they are now
   * @param rules what kube-proxy has in the kernel now
   */
  public boolean isOver(Catalogue services, List<KubeProxyState> rules) {
    settled = check.look(() -> rules, KubeProxyCheck.expected(services)) == null;
    return settled || check.lasts() || verdict().mode().isEmpty();
  }

  /** Puts what all looks have found in the place of what an answer has. */
  public void correct(NodeDataplaneStatus answer) {
    KubeProxyVerdict last = verdict();
    // What is there only now will go as what was there before has gone.
    Set<Difference> passing = settled ? last.failures() : Set.of();
    Preflight seen =
        new Preflight(KubeProxyFindings.of(last.keeping(each -> !passing.contains(each))));
    List<PreflightFinding> findings = new ArrayList<>(answer.preflight);
    findings.removeIf(finding -> OF_RULES.contains(finding.reason));
    findings.addAll(Findings.of(seen, List.of()));
    answer.preflight = findings;
  }

  private KubeProxyVerdict verdict() {
    return Objects.requireNonNull(check.verdict(), "nobody has looked");
  }
}
