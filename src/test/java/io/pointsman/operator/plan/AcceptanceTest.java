// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.DsrMode;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.OnFailure;
import io.pointsman.api.Provider;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.api.Scheduler;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class AcceptanceTest {
  static Stream<Arguments> unbuilt() {
    return Stream.of(
        row(
            "Iptables has no scheduler wlc. Set spec.scheduler to one of random, rr.",
            spec -> {
              spec.linuxDataplane = LinuxDataplane.IPTABLES;
              spec.scheduler = Scheduler.WLC;
            }),
        row(
            "IPVS has no scheduler random. Set spec.scheduler to one of rr, wrr, lc, wlc, sh, dh,"
                + " sed, nq, mh, lblc, lblcr, fo, ovf.",
            spec -> {
              spec.linuxDataplane = LinuxDataplane.IPVS;
              spec.scheduler = Scheduler.RANDOM;
            }),
        row("Nftables", spec -> spec.linuxDataplane = LinuxDataplane.NFTABLES),
        row("linuxDataplane is missing", spec -> spec.linuxDataplane = null),
        row("Calico", spec -> spec.provider = Provider.CALICO),
        row("spec.dsr.mode to Disabled", spec -> spec.dsr.mode = DsrMode.ENABLED),
        row("BPF has no scheduler wlc", spec -> spec.scheduler = Scheduler.WLC));
  }

  @ParameterizedTest
  @MethodSource("unbuilt")
  void whatIsNotBuiltIsRefusedInWordsAndNothingChanges(
      String named, Consumer<ProxyDataplaneSpec> change) {
    Scene fresh = Scene.of("n1").edit(change).settle();
    assertThat(fresh.ruled).isEmpty();
    assertThat(fresh.view("n1").labels()).isEmpty();
    assertThat(fresh.selector).doesNotContainKey(Names.KUBE_PROXY_LABEL);

    Scene scene = Scene.of("n1", "n2").settle();
    String before = scene.steps();
    scene.edit(change).settle();
    assertThat(scene.steps()).isEqualTo(before);
    assertThat(scene.verdict("Accepted").truth()).isEqualTo(Report.Truth.FALSE);
    assertThat(scene.verdict("Accepted").reason()).isEqualTo("NotBuilt");
    assertThat(scene.verdict("Stalled").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.plan().report().message()).contains(named, "nothing changes");
  }

  @Test
  void theYoungerOfTwoThatOverlapIsRefusedAndNamesTheOther() {
    Scene scene = Scene.of("n1").dataplane("second", spec -> {}).settle();

    assertThat(scene.verdict("default", "Accepted").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(scene.verdict("second", "Accepted").reason()).isEqualTo("Overlap");
    assertThat(scene.verdict("second", "Accepted").message()).contains("default");
    assertThat(scene.ruled("n1").getSpec().proxyDataplane).isEqualTo("default");
    assertThat(scene.verdict("default", "Ready").truth()).isEqualTo(Report.Truth.TRUE);
  }

  @Test
  void theYoungerTakesOverWhenTheOlderIsGone() {
    Scene scene = Scene.of("n1").dataplane("second", spec -> {}).settle();
    scene.delete("default").settle();
    assertThat(scene.plan("default").walkedBack()).isTrue();
    scene.dataplanes.remove("default");

    scene.settle();
    assertThat(scene.ruled("n1").getSpec().proxyDataplane).isEqualTo("second");
    assertThat(scene.verdict("second", "Ready").truth()).isEqualTo(Report.Truth.TRUE);
  }

  @Test
  void selectorsThatCanNeverMeetLiveSideBySide() {
    Scene scene = Scene.of("n1", "n2").label("n1", "pool", "a").label("n2", "pool", "b");
    scene.edit(spec -> spec.nodeSelector = Map.of("pool", "a"));
    scene.dataplane("second", spec -> spec.nodeSelector = Map.of("pool", "b")).settle();

    assertThat(scene.ruled("n1").getSpec().proxyDataplane).isEqualTo("default");
    assertThat(scene.ruled("n2").getSpec().proxyDataplane).isEqualTo("second");
    scene.delete("default").settle();
    assertThat(scene.plan("default").walkedBack()).isTrue();
    assertThat(scene.selector).as("the other still needs it").containsKey(Names.KUBE_PROXY_LABEL);
    assertThat(scene.steps()).isEqualTo("n2=CLEAN/DETACHED");
  }

  @ParameterizedTest
  @MethodSource("selectors")
  void disjointMeansOneKeyWithTwoValues(
      Map<String, String> one, Map<String, String> other, boolean disjoint) {
    assertThat(Acceptance.disjoint(one, other)).isEqualTo(disjoint);
    assertThat(Acceptance.disjoint(other, one)).isEqualTo(disjoint);
  }

  static Stream<Arguments> selectors() {
    return Stream.of(
        Arguments.of(Map.of(), Map.of(), false),
        Arguments.of(Map.of(), Map.of("a", "1"), false),
        Arguments.of(Map.of("a", "1"), Map.of("a", "1"), false),
        Arguments.of(Map.of("a", "1"), Map.of("b", "1"), false),
        Arguments.of(Map.of("a", "1"), Map.of("a", "2"), true),
        Arguments.of(Map.of("a", "1", "b", "1"), Map.of("a", "2", "b", "1"), true));
  }

  private static Arguments row(String named, Consumer<ProxyDataplaneSpec> change) {
    return Arguments.of(named, change);
  }

  @ParameterizedTest
  @EnumSource(OnFailure.class)
  void whatFailedUnderOneResourceIsNoFailureOfAnother(OnFailure onFailure) {
    Scene scene = Scene.of("n1", "n2").label("n1", "pool", "a").label("n2", "pool", "b");
    scene.edit(spec -> spec.nodeSelector = Map.of("pool", "a"));
    scene.dataplane("default").getSpec().rollout.onFailure = onFailure;
    scene.dataplane("other", spec -> spec.nodeSelector = Map.of("pool", "b"));
    scene.dataplane("other").getMetadata().setGeneration(2L);
    scene.look().agents().answer("n1", StepResult.FAILED).settle();
    assertThat(scene.verdict("Ready").reason()).isEqualTo("RolloutStopped");

    scene.label("n1", "pool", "b").settle();
    assertThat(scene.steps()).isEqualTo("n1=CLEAN/DETACHED n2=CLEAN/DETACHED");
    assertThat(scene.ruled("n1").getSpec().proxyDataplane).isEqualTo("other");
    assertThat(scene.verdict("other", "Ready").reason()).isEqualTo("Converged");
  }

  @Test
  void aNodeOnItsWayThatADryRunTakesOverEndsItsWay() {
    Scene scene = Scene.of("n1", "n2").label("n1", "pool", "a").label("n2", "pool", "b");
    scene.edit(spec -> spec.nodeSelector = Map.of("pool", "a"));
    scene.dataplane(
        "other",
        spec -> {
          spec.nodeSelector = Map.of("pool", "b");
          spec.rollout.dryRun = true;
        });
    scene.until("n1", Step.CLEAN).label("n1", "pool", "b").look();
    String since = scene.ruled("n1").getMetadata().getAnnotations().get(Names.SWITCHING_SINCE);
    scene.advance(Duration.ofSeconds(5)).look();

    assertThat(scene.ruled("n1").getMetadata().getAnnotations())
        .containsEntry(Names.SWITCHING_SINCE, since);
    assertThat(scene.settle().steps()).isEqualTo("n1=CLEAN/DETACHED n2=PREFLIGHT/ATTACHED");
    assertThat(scene.plan("other").actions()).isEmpty();
  }
}
