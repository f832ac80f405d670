// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import static io.pointsman.api.LinuxDataplane.BPF;
import static io.pointsman.api.LinuxDataplane.IPTABLES;
import static io.pointsman.api.LinuxDataplane.IPVS;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.OnFailure;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every ordered pair of kube-proxy (null), Iptables, IPVS and BPF. */
class EdgesTest {
  static final List<@Nullable LinuxDataplane> ALL = Arrays.asList(null, IPTABLES, IPVS, BPF);

  static Stream<Arguments> edges() {
    return ALL.stream()
        .flatMap(from -> ALL.stream().filter(to -> to != from).map(to -> Arguments.of(from, to)));
  }

  @ParameterizedTest
  @MethodSource("edges")
  void everyEdgeIsWalkedStepByStep(@Nullable LinuxDataplane from, @Nullable LinuxDataplane to) {
    Trail trail = Trail.from(from).to(to).follow();

    assertThat(trail.places).isEqualTo(course(from, to));
    assertThat(trail.scene.pods.keySet()).isEqualTo(to == null ? ofNode() : Set.of());
    if (to == null) {
      assertThat(trail.scene.plan().walkedBack()).isTrue();
    } else {
      assertThat(trail.scene.verdict("Ready").truth()).isEqualTo(Report.Truth.TRUE);
      assertThat(trail.scene.plan().report().current()).isEqualTo(to);
      assertThat(annotations(trail)).doesNotContainKeys(Names.ORIGIN, Names.REPLACES);
    }
  }

  /** Every place of every edge to a dataplane: the agent fails when it is asked for that. */
  static Stream<Arguments> failures() {
    return ALL.stream()
        .flatMap(
            from ->
                ALL.stream()
                    .filter(to -> to != null && to != from)
                    .flatMap(
                        to -> course(from, to).stream().map(at -> Arguments.of(from, to, at))));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void aFailureAnywhereEndsWhereItBegan(
      @Nullable LinuxDataplane from, LinuxDataplane to, String at) {
    Trail trail = Trail.from(from);
    NodeDataplaneSpec began = from == null ? null : Target.copy(spec(trail));
    trail.failing = spec -> Trail.place(spec).equals(at);
    trail.to(to).follow();

    Report report = trail.scene.plan().report();
    assertThat(report.counts()).isEqualTo(new Report.Counts(1, 0, 0, 1, 0));
    assertThat(report.message()).contains("ProbeFailed", "Back on " + Trail.name(from));
    assertThat(trail.scene.verdict("Ready").reason()).isEqualTo("RolloutStopped");
    assertThat(trail.scene.verdict("Available").truth()).isEqualTo(Report.Truth.TRUE);
    assertThat(trail.scene.notices)
        .extracting(Notice::reason)
        .containsOnlyOnce("NodeFailed", "NodeRolledBack");
    assertThat(annotations(trail)).containsKey(Names.FAILED_GENERATION);
    if (began == null) {
      assertThat(trail.here()).isEqualTo(Trail.name(to) + "/REMOVE/ATTACHED");
      assertThat(trail.scene.pods).containsKey(Trail.NODE);
    } else {
      assertThat(Target.same(spec(trail), began)).as("exactly the old settings").isTrue();
      assertThat(trail.places).allMatch(place -> place.endsWith("/DETACHED"));
    }
    List<String> places = List.copyOf(trail.places);
    assertThat(trail.follow().places).as("and stays there").isEqualTo(places);
  }

  @ParameterizedTest
  @MethodSource("failures")
  void withPauseItStaysWhereItFailed(@Nullable LinuxDataplane from, LinuxDataplane to, String at) {
    Trail trail = Trail.from(from);
    trail.scene.dataplane("default").getSpec().rollout.onFailure = OnFailure.PAUSE;
    trail.failing = spec -> Trail.place(spec).equals(at);
    trail.to(to).follow();

    assertThat(trail.here()).isEqualTo(at);
    assertThat(trail.scene.plan().report().counts().failed()).isEqualTo(1);
    trail.failing = spec -> false;
    trail.scene.ruled(Trail.NODE).getMetadata().getAnnotations().remove(Names.FAILED_GENERATION);
    assertThat(trail.follow().here()).isEqualTo(Trail.name(to) + "/CLEAN/DETACHED");
  }

  static Stream<Arguments> failuresBack() {
    return Stream.of(IPTABLES, IPVS, BPF)
        .flatMap(
            from ->
                course(from, null).stream()
                    .filter(at -> at.endsWith("/ATTACHED"))
                    .map(at -> Arguments.of(from, at)));
  }

  @ParameterizedTest
  @MethodSource("failuresBack")
  void aFailureOnTheWayToKubeProxyIsTriedAgain(LinuxDataplane from, String at) {
    Trail trail = Trail.from(from);
    trail.failing = spec -> Trail.place(spec).equals(at);
    trail.to(null).follow();
    assertThat(trail.places).doesNotContain(Trail.GONE).allMatch(place -> !place.contains("CLEAN"));

    trail.failing = spec -> false;
    trail.scene.advance(Duration.ofSeconds(31));
    assertThat(trail.follow().places).isEqualTo(course(from, null));
  }

  /** Where a node is on its way from one to another when a third, or the first, is asked for. */
  static Stream<Arguments> turns() {
    return failures()
        .flatMap(
            row ->
                ALL.stream()
                    .filter(then -> then != row.get()[1])
                    .map(then -> Arguments.of(row.get()[0], row.get()[1], row.get()[2], then)));
  }

  @ParameterizedTest
  @MethodSource("turns")
  void aNodeTurnsRoundFromWhereverItIs(
      @Nullable LinuxDataplane from, LinuxDataplane to, String at, @Nullable LinuxDataplane then) {
    for (boolean answered : List.of(false, true)) {
      Trail trail = Trail.from(from).to(to).until(at);
      if (answered) {
        trail.answer();
      }
      trail.places.clear();
      if (then != null && then == from) {
        trail.home(then);
      } else {
        trail.to(then);
      }
      trail.follow();
      if (then == null) {
        assertThat(trail.places).last().isEqualTo(Trail.GONE);
        assertThat(trail.scene.plan().walkedBack()).isTrue();
        assertThat(trail.scene.pods).containsKey(Trail.NODE);
      } else {
        assertTurned(trail, from, then);
      }
    }
  }

  private static void assertTurned(
      Trail trail, @Nullable LinuxDataplane from, LinuxDataplane then) {
    assertThat(trail.here()).isEqualTo(Trail.name(then) + "/CLEAN/DETACHED");
    assertThat(trail.places)
        .as("straight there, and kube-proxy does not come back")
        .allMatch(place -> place.startsWith(Trail.name(then)))
        .noneMatch(place -> place.endsWith("/ATTACHING"))
        .doesNotHaveDuplicates();
    if (from != null) {
      assertThat(trail.places).allMatch(place -> place.endsWith("/DETACHED"));
      assertThat(trail.places.getFirst().contains("/PREPARE/"))
          .as("what it began on is only taken up again")
          .isEqualTo(then == from);
    }
    assertThat(trail.scene.plan().report().counts()).isEqualTo(new Report.Counts(1, 1, 0, 0, 0));
    assertThat(annotations(trail)).doesNotContainKeys(Names.ORIGIN, Names.REPLACES);
  }

  static List<String> course(@Nullable LinuxDataplane from, @Nullable LinuxDataplane to) {
    if (to == null) {
      return Stream.concat(
              Stream.of("ACTIVATE/ATTACHING", "DRAIN/ATTACHED", "REMOVE/ATTACHED")
                  .map(place -> Trail.name(from) + "/" + place),
              Stream.of(Trail.GONE))
          .toList();
    }
    Stream<String> places =
        from != null
            ? Stream.of(
                "PREFLIGHT/DETACHED", "PREPARE/DETACHED", "ACTIVATE/DETACHED", "CLEAN/DETACHED")
            : to == BPF
                ? Stream.of(
                    "PREFLIGHT/ATTACHED",
                    "PREPARE/ATTACHED",
                    "ACTIVATE/ATTACHED",
                    "ACTIVATE/DETACHING",
                    "CLEAN/DETACHED")
                : Stream.of(
                    "PREFLIGHT/ATTACHED",
                    "PREFLIGHT/DETACHING",
                    "PREPARE/DETACHED",
                    "ACTIVATE/DETACHED",
                    "CLEAN/DETACHED");
    return places.map(place -> Trail.name(to) + "/" + place).toList();
  }

  private static Set<String> ofNode() {
    return Set.of(Trail.NODE);
  }

  private static NodeDataplaneSpec spec(Trail trail) {
    return trail.scene.ruled(Trail.NODE).getSpec();
  }

  private static Map<String, String> annotations(Trail trail) {
    return Objects.requireNonNull(trail.scene.ruled(Trail.NODE).getMetadata().getAnnotations());
  }
}
