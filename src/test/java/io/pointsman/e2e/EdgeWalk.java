// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.Addresses;
import io.pointsman.lab.LabOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongSupplier;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;

/** A lab that goes from dataplane to dataplane under load, an edge a test. */
final class EdgeWalk implements AutoCloseable {
  /** Seconds' worth of one web load, of two, between two edges. */
  private static final int BETWEEN = 7;

  /** As web.yaml has them. */
  private static final int WEB_REPLICAS = 3;

  /** As the lab's kube-proxy has them, too. */
  private static final List<String> PODS = List.of(Addresses.POD_CIDR_4, Addresses.POD_CIDR_6);

  private final LabOptions options;
  private final Pace pace;
  private final long atLeast;
  private final List<Edge> edges = new ArrayList<>();

  /** Where endpoints have been changed under load: once is enough. */
  private final Set<LinuxDataplane> changed = EnumSet.noneOf(LinuxDataplane.class);

  private @Nullable TestCluster cluster;
  private @Nullable StepPrinter steps;
  private @Nullable Load load;

  /** Streams that began before an edge, under what had served until then. */
  private final List<LongFlows> begun = new ArrayList<>();

  /** What bars one of its edges at first. */
  private @Nullable Obstacle obstacle;

  private boolean failed;

  /**
   * A walk that has not begun.
   *
   * @param atLeast new connections over all its edges: the load goes on until there are as many
   */
  EdgeWalk(LabOptions options, Pace pace, long atLeast) {
    this.options = options;
    this.pace = pace;
    this.atLeast = atLeast;
  }

  /** An edge that was walked, how long it took for all nodes, and each node for each step. */
  private record Edge(String name, Duration took, String steps) {}

  /** What goes through the Services all the time. */
  private record Load(WebLoad web, LongFlows flows) implements AutoCloseable {
    void phase(String name) {
      web.phase(name);
      flows.phase(name);
    }

    void awaitMore(Pace pace) {
      for (LongSupplier counter : List.<LongSupplier>of(web::requests, flows::messages)) {
        var until = counter.getAsLong() + (long) BETWEEN * pace.perSecond();
        Awaitility.await().atMost(pace.limit()).until(() -> counter.getAsLong() >= until);
      }
    }

    @Override
    public void close() {
      web.close();
      flows.close();
    }
  }

  /** Something bars the first edge between the two dataplanes that it stands between. */
  void barredBy(Obstacle bar) {
    obstacle = bar;
  }

  /** Tests that go from kube-proxy through these; null stands for kube-proxy. */
  List<DynamicTest> through(@Nullable LinuxDataplane... dataplanes) {
    var tests = new ArrayList<DynamicTest>();
    tests.add(DynamicTest.dynamicTest("starts", this::start));
    LinuxDataplane before = null;
    for (var wanted : dataplanes) {
      var name = name(before) + " > " + name(wanted);
      var bar = obstacle;
      if (bar != null && bar.wanted() == wanted && bar.from().orElse(null) == before) {
        tests.add(
            DynamicTest.dynamicTest(name + ": " + bar, () -> rollBack(name + ": " + bar, bar)));
        obstacle = null;
      }
      tests.add(DynamicTest.dynamicTest(name, () -> go(name, wanted)));
      before = wanted;
    }
    tests.add(DynamicTest.dynamicTest("nothing was lost", this::finish));
    return tests;
  }

  private String name(@Nullable LinuxDataplane dataplane) {
    return dataplane == null
        ? "kube-proxy(" + options.kubeProxyMode().configuration() + ")"
        : Walk.name(dataplane);
  }

  private void start() {
    failed = true;
    var up = TestCluster.inLab(options);
    cluster = up;
    up.install(pace.arguments());
    steps = new StepPrinter(up);
    WebLoad.deploy(up, pace);
    LongFlows.deploy(up);
    var started = new Load(WebLoad.start(up, pace), LongFlows.start(up, pace));
    load = started;
    started.awaitMore(pace);
    failed = false;
  }

  /** Nothing is done after a failure, and what is begun has failed until it is done. */
  private void begin() {
    assertThat(failed).as("a test before this one failed").isFalse();
    failed = true;
  }

  /** What is counted from now on belongs to this. */
  private Load phase(String name) {
    var running = Objects.requireNonNull(load);
    running.phase(name);
    begun.forEach(flows -> flows.phase(name));
    System.out.println(name);
    return running;
  }

  private void go(String name, @Nullable LinuxDataplane wanted) {
    begin();
    var walk = new Walk(Objects.requireNonNull(cluster), pace.limit());
    if (!edges.isEmpty()) {
      begun.add(LongFlows.again(Objects.requireNonNull(cluster), pace, edges.size()));
    }
    var running = phase(name);
    var began = Instant.now();
    if (wanted == null) {
      walk.goBack();
    } else {
      walk.apply(wanted, this::manifest);
      walk.await(wanted);
      walk.masqueradesOutside(wanted, PODS);
    }
    var took = Duration.between(began, Instant.now());
    edges.add(new Edge(name, took, Objects.requireNonNull(steps).times(began)));
    if (wanted != null && changed.add(wanted)) {
      walk.scaleWeb(wanted, WEB_REPLICAS + 1);
      walk.scaleWeb(wanted, WEB_REPLICAS);
    }
    running.awaitMore(pace);
    failed = false;
  }

  private void rollBack(String name, Obstacle bar) {
    begin();
    var running = phase(name);
    new Rollback(Objects.requireNonNull(cluster), pace.limit()).of(bar, this::clusterCidrs);
    running.awaitMore(pace);
    failed = false;
  }

  private String manifest(String usual) {
    var deadline = "rollout:\n    progressDeadlineSeconds: " + pace.limit().toSeconds();
    return clusterCidrs(usual).replace("rollout:", deadline);
  }

  private String clusterCidrs(String usual) {
    return usual.replace("spec:", "spec:\n  clusterCIDRs: " + PODS);
  }

  private void finish() {
    begin();
    var running = Objects.requireNonNull(load);
    Awaitility.await().atMost(pace.limit()).until(() -> running.web().requests() >= atLeast);
    var requests = running.web().finish();
    var kept = new ArrayList<>(List.of(running.flows().finish()));
    begun.forEach(flows -> kept.add(flows.finish()));
    System.out.println(requests.table());
    edges.forEach(edge -> print(edge, requests, kept));
    assertThat(requests.failed()).as(requests.table()).isZero();
    assertThat(requests.requests()).as(requests.table()).isGreaterThanOrEqualTo(atLeast);
    assertThat(requests.loads().get(WebLoad.FROM_OUTSIDE))
        .isNotNull()
        .allSatisfy(phase -> assertThat(phase.requests()).isPositive());
    kept.forEach(EdgeWalk::assertKept);
    failed = false;
  }

  private static void print(Edge edge, WebLoad.Result requests, List<LongFlows.Result> kept) {
    System.out.printf(
        "edge %-36s %6d connections, %5d new UDP flows, %d datagrams again, longest gap %7.1f ms, %3d s: %s%n",
        edge.name(),
        requests.requests(edge.name()),
        kept.stream().mapToLong(flows -> flows.fresh(edge.name())).sum(),
        kept.stream().mapToLong(flows -> flows.resent(edge.name())).sum(),
        kept.stream().mapToDouble(flows -> flows.longestGap(edge.name())).max().orElse(0),
        edge.took().toSeconds(),
        edge.steps());
  }

  private static void assertKept(LongFlows.Result kept) {
    assertThat(kept.failures()).isEmpty();
    assertThat((long) kept.answers().size())
        .as("one server for each UDP stream: " + kept.answers())
        .isEqualTo(kept.targets())
        .isPositive();
  }

  @Override
  public void close() {
    begun.forEach(LongFlows::close);
    if (load != null) {
      load.close();
    }
    if (steps != null) {
      steps.close();
    }
    if (cluster != null) {
      if (failed) {
        cluster.tell();
      }
      cluster.close();
    }
  }
}
