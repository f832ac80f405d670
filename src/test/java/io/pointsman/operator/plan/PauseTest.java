// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static io.pointsman.api.LinuxDataplane.IPTABLES;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.OnFailure;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.api.Scheduler;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a pause, a dry run and a refused spec hold: no node where nobody follows the Services. */
class PauseTest {
  /** Where kube-proxy's rules serve on alone, for Iptables and IPVS after kube-proxy. */
  private static final Set<String> BETWEEN = Set.of("PREFLIGHT/DETACHING", "PREPARE/DETACHED");

  private enum Hold {
    PAUSED("Paused", spec -> spec.rollout.paused = true),
    DRY_RUN(
        "DryRun",
        spec -> {
          spec.rollout.dryRun = true;
          spec.linuxDataplane = other(spec.linuxDataplane);
          spec.scheduler = Acceptance.schedulers(spec.linuxDataplane).iterator().next();
        }),
    REFUSED("NotAccepted", spec -> spec.linuxDataplane = LinuxDataplane.NFTABLES);

    private final String reason;
    private final Consumer<ProxyDataplaneSpec> change;

    Hold(String reason, Consumer<ProxyDataplaneSpec> change) {
      this.reason = reason;
      this.change = change;
    }

    private static LinuxDataplane other(@Nullable LinuxDataplane dataplane) {
      return dataplane == LinuxDataplane.BPF ? LinuxDataplane.IPVS : LinuxDataplane.BPF;
    }
  }

  static Stream<Arguments> places() {
    return EdgesTest.failures()
        .flatMap(
            row ->
                Arrays.stream(Hold.values())
                    .map(hold -> Arguments.of(row.get()[0], row.get()[1], row.get()[2], hold)));
  }

  @ParameterizedTest
  @MethodSource("places")
  void whereANodeIsHeldSomebodyFollows(
      @Nullable LinuxDataplane from, LinuxDataplane to, String at, Hold hold) {
    for (boolean answered : List.of(false, true)) {
      Trail trail = Trail.from(from).to(to).until(at);
      if (answered) {
        trail.answer();
      }
      ProxyDataplaneSpec asked = trail.scene.dataplane("default").getSpec();
      Scheduler scheduler = asked.scheduler;
      trail.scene.edit(hold.change);
      trail.follow().scene.advance(Duration.ofHours(2));
      trail.follow();

      boolean converged = at.endsWith("/CLEAN/DETACHED");
      if (converged && hold == Hold.DRY_RUN) {
        assertThat(trail.here()).as("only asked").endsWith("/PREFLIGHT/DETACHED");
      } else {
        String held = isBetween(from, at) ? Trail.name(to) + "/ACTIVATE/DETACHED" : at;
        assertThat(trail.here()).isEqualTo(held);
      }
      assertThat(trail.followers.anybody()).as("somebody follows at " + trail.here()).isTrue();
      assertThat(trail.scene.notices).extracting(Notice::reason).doesNotContain("NodeFailed");
      assertThat(trail.scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.FALSE);
      assertThat(trail.scene.verdict("Available").truth()).isEqualTo(Report.Truth.TRUE);
      assertThat(trail.scene.verdict("Ready").reason())
          .isEqualTo(converged && hold == Hold.PAUSED ? "Converged" : hold.reason);

      release(trail, to, scheduler);
      assertThat(trail.follow().here()).isEqualTo(Trail.name(to) + "/CLEAN/DETACHED");
      assertThat(trail.scene.plan().report().current()).isEqualTo(to);
    }
  }

  private static void release(Trail trail, LinuxDataplane to, Scheduler scheduler) {
    trail.scene.edit(
        spec -> {
          spec.rollout.paused = false;
          spec.rollout.dryRun = false;
          spec.linuxDataplane = to;
          spec.scheduler = scheduler;
        });
  }

  @ParameterizedTest
  @MethodSource("places")
  void aNodeThatFailsMeanwhileGoesBackAndIsNamed(
      @Nullable LinuxDataplane from, LinuxDataplane to, String at, Hold hold) {
    Trail trail = Trail.from(from);
    NodeDataplaneSpec began =
        from == null ? null : Target.copy(trail.scene.ruled(Trail.NODE).getSpec());
    trail.to(to).until(at).failing = spec -> Trail.place(spec).equals(at);
    trail.scene.edit(hold.change);
    trail.follow();

    assertThat(trail.scene.plan().report().counts().rolledBack()).isEqualTo(1);
    assertThat(trail.scene.notices)
        .extracting(Notice::reason)
        .containsOnlyOnce("NodeFailed", "NodeRolledBack");
    assertThat(trail.scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(trail.followers.anybody()).isTrue();
    if (began == null) {
      assertThat(trail.here()).isEqualTo(Trail.name(to) + "/REMOVE/ATTACHED");
      assertThat(trail.scene.pods).containsKey(Trail.NODE);
    } else {
      assertThat(Target.same(trail.scene.ruled(Trail.NODE).getSpec(), began)).isTrue();
    }
  }

  static Stream<Arguments> unselected() {
    return EdgesTest.failures()
        .flatMap(
            row ->
                Stream.of(Hold.PAUSED, Hold.DRY_RUN)
                    .map(hold -> Arguments.of(row.get()[0], row.get()[1], row.get()[2], hold)));
  }

  @ParameterizedTest
  @MethodSource("unselected")
  void aNodeThatIsRuledNoMoreIsNotStrandedEither(
      @Nullable LinuxDataplane from, LinuxDataplane to, String at, Hold hold) {
    Trail trail = Trail.from(from).to(to).until(at);
    trail.scene.edit(
        spec -> {
          hold.change.accept(spec);
          spec.nodeSelector = Map.of("pool", "other");
        });
    trail.follow();

    assertThat(trail.followers.anybody()).as("somebody follows at " + trail.here()).isTrue();
    if (isBetween(from, at)) {
      assertThat(trail.here()).endsWith("/ATTACHING");
      assertThat(trail.scene.pods).containsKey(Trail.NODE);
    }
    trail.scene.edit(spec -> spec.rollout.paused = spec.rollout.dryRun = false);
    assertThat(trail.follow().here()).isEqualTo(Trail.GONE);
  }

  static Stream<Arguments> wayBack() {
    return Stream.of(IPTABLES, LinuxDataplane.IPVS, LinuxDataplane.BPF)
        .flatMap(
            from ->
                EdgesTest.course(from, null).stream()
                    .filter(at -> !at.equals(Trail.GONE))
                    .flatMap(
                        at ->
                            Arrays.stream(Hold.values())
                                .map(hold -> Arguments.of(from, at, hold))));
  }

  @ParameterizedTest
  @MethodSource("wayBack")
  void onTheWayToKubeProxySomebodyFollowsToo(LinuxDataplane from, String at, Hold hold) {
    for (boolean answered : List.of(false, true)) {
      Trail trail = Trail.from(from);
      trail.scene.edit(spec -> spec.nodeSelector = Map.of("pool", "other"));
      trail.until(at);
      if (answered) {
        trail.answer();
      }
      trail.scene.edit(hold.change);
      trail.follow().scene.advance(Duration.ofHours(2));
      trail.follow();

      assertThat(trail.here()).isEqualTo(at);
      assertThat(trail.followers.anybody()).isTrue();
    }
  }

  @ParameterizedTest
  @EnumSource(Hold.class)
  void whoIsNotHeldIsSaid(Hold hold) {
    Trail trail = Trail.from(null).to(IPTABLES).until("Iptables/PREPARE/DETACHED");
    trail.scene.edit(hold.change).look();

    if (hold != Hold.REFUSED) {
      assertThat(trail.scene.plan().report().message())
          .contains("Not held before a dataplane follows the Services there: n1 at step Prepare.");
    }
    trail.follow();
    assertThat(trail.scene.plan().report().message()).doesNotContain("Not held before");
  }

  @Test
  void aNodeThatCannotGetOnDuringAPauseIsNotWaitedForWithoutEnd() {
    Trail trail = Trail.from(null).to(IPTABLES).until("Iptables/PREPARE/DETACHED");
    trail.scene.edit(spec -> spec.rollout.paused = true).look();
    trail.scene.advance(Duration.ofSeconds(601)).look();

    assertThat(trail.here()).isEqualTo("Iptables/PREPARE/ATTACHING");
    assertThat(trail.follow().here()).isEqualTo("Iptables/REMOVE/ATTACHED");
    assertThat(trail.scene.plan().report().message()).contains("ProgressDeadlineExceeded");
  }

  @Test
  void aNodeThatFailedBetweenIsTriedAgainByThePause() {
    Trail trail = Trail.from(null);
    trail.scene.dataplane("default").getSpec().rollout.onFailure = OnFailure.PAUSE;
    trail.failing = spec -> spec.step == Step.PREPARE;
    trail.to(IPTABLES).follow();
    assertThat(trail.here()).isEqualTo("Iptables/PREPARE/DETACHED");
    assertThat(trail.scene.verdict("Available").truth()).isEqualTo(Report.Truth.FALSE);

    trail.failing = spec -> false;
    trail.scene.edit(spec -> spec.rollout.paused = true);
    assertThat(trail.follow().here()).isEqualTo("Iptables/ACTIVATE/DETACHED");
    assertThat(trail.scene.verdict("Available").truth()).isEqualTo(Report.Truth.TRUE);
  }

  @Test
  void withOnFailurePauseTheFailureIsSaidDuringAPauseToo() {
    Trail trail = Trail.from(null);
    trail.scene.dataplane("default").getSpec().rollout.onFailure = OnFailure.PAUSE;
    trail.to(IPTABLES).until("Iptables/PREPARE/DETACHED");
    trail.scene.edit(spec -> spec.rollout.paused = true);
    trail.failing = spec -> true;

    assertThat(trail.follow().here()).isEqualTo("Iptables/PREPARE/DETACHED");
    assertThat(trail.scene.notices).extracting(Notice::reason).containsOnlyOnce("NodeFailed");
    assertThat(trail.scene.verdict("Degraded").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(trail.scene.verdict("Available").truth()).isEqualTo(Report.Truth.FALSE);
    assertThat(trail.scene.verdict("Stalled").truth()).isEqualTo(Report.Truth.TRUE);
  }

  @Test
  void anotherSpecDuringAPauseIsFollowedBySuchANode() {
    Trail trail = Trail.from(null).to(IPTABLES).until("Iptables/PREFLIGHT/DETACHING");
    trail.scene.edit(
        spec -> {
          spec.rollout.paused = true;
          spec.linuxDataplane = LinuxDataplane.BPF;
        });

    assertThat(trail.follow().here()).isEqualTo("BPF/ACTIVATE/DETACHED");
    assertThat(trail.followers.anybody()).isTrue();
  }

  @Test
  void noNodeIsBegunMeanwhile() {
    Scene scene = Scene.of("n1", "n2");
    scene.dataplane("default").getSpec().linuxDataplane = IPTABLES;
    scene.until("n1", Step.PREPARE).edit(spec -> spec.rollout.paused = true).settle();

    assertThat(scene.steps()).isEqualTo("n1=ACTIVATE/DETACHED n2=PREFLIGHT/ATTACHED");
    scene.answer("n1", StepResult.FAILED).settle();
    assertThat(scene.steps()).isEqualTo("n1=REMOVE/ATTACHED n2=PREFLIGHT/ATTACHED");
    assertThat(scene.begun()).containsExactly("n1");
    assertThat(scene.verdict("Ready").reason()).isEqualTo("RolloutStopped");
  }

  private static boolean isBetween(@Nullable LinuxDataplane from, String at) {
    return from == null
        && !at.startsWith("BPF/")
        && BETWEEN.stream().anyMatch(place -> at.endsWith("/" + place));
  }
}
