// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.PreflightFinding;
import io.pointsman.api.Severity;
import io.pointsman.catalogue.Problem;
import io.pointsman.catalogue.Problem.Effect;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.Preflight.Finding;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What the status tells of a preflight. */
class FindingsTest {
  private static final Finding WARNING =
      new Finding(Preflight.Severity.WARNING, "MixedIptables", "There are two.", "Use one.");
  private static final Finding BLOCKING =
      new Finding(Preflight.Severity.BLOCKING, "KernelTooOld", "It is 5.4.", "Boot 5.10.");

  @Test
  void theFirstThatBlocksIsToldOf() {
    List<PreflightFinding> findings =
        Findings.of(new Preflight(List.of(WARNING, BLOCKING, WARNING)), List.of());
    assertThat(findings)
        .extracting(it -> it.severity)
        .containsExactly(Severity.WARNING, Severity.BLOCKING, Severity.WARNING);
    assertThat(Findings.firstBlocking(findings))
        .returns("KernelTooOld", it -> it.reason)
        .returns("It is 5.4.", it -> it.message)
        .returns("Boot 5.10.", it -> it.remedy);
  }

  @Test
  void aThingThatIsNotHonouredStandsOnce() {
    List<Problem> problems =
        List.of(
            problem("Service default/a", Effect.SERVED_WITHOUT, "SessionAffinityNotHonoured"),
            problem("Service default/b", Effect.NOT_SERVED, "ProtocolNotServed"),
            problem("Service default/c", Effect.SERVED_WITHOUT, "SessionAffinityNotHonoured"));
    assertThat(Findings.of(new Preflight(List.of()), problems))
        .singleElement()
        .returns(Severity.WARNING, it -> it.severity)
        .returns("SessionAffinityNotHonoured", it -> it.reason)
        .returns("Service default/a (and 1 more): It is so.", it -> it.message)
        .returns("Do this.", it -> it.remedy);
  }

  @Test
  void theResourceTakesNoMoreThan64() {
    Preflight many = new Preflight(Collections.nCopies(100, WARNING));
    assertThat(Findings.of(many, List.of())).hasSize(64);
  }

  @Test
  void rulesThatCannotBeReadDoNotBlock() {
    assertThat(KubeProxyFindings.unreadable("nft list tables ended with 1: no."))
        .containsExactly(
            new Finding(
                Preflight.Severity.WARNING,
                "KubeProxyUnreadable",
                "kube-proxy's rules could not be read. nft list tables ended with 1: no.",
                "See that the agent has the capabilities NET_ADMIN and NET_RAW."));
  }

  private static Problem problem(String object, Effect effect, String reason) {
    return new Problem(object, effect, reason, "It is so.", "Do this.");
  }
}
