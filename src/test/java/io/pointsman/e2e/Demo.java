// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.awaitility.Awaitility.await;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.Lab;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.List;

/**
 * The main job for a person to watch: from kube-proxy through dataplanes and back under load. Run
 * by {@code make demo}.
 */
public final class Demo {
  private static final String NAME = "demo";

  /** Seconds' worth of one load, of two, between two steps. */
  private static final int BETWEEN = 15;

  private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("HH:mm:ss");

  private final TestCluster cluster;
  private final List<LinuxDataplane> modes;
  private final Pace pace = DemoModes.pace();
  private final Walk walk;

  private Demo(TestCluster cluster, List<LinuxDataplane> modes) {
    this.cluster = cluster;
    this.modes = modes;
    this.walk = new Walk(cluster, pace.limit());
  }

  /**
   * Goes through the dataplanes that are named. Exits with 1 when a request failed or the walk did
   * not end where it should, with 2 for a name that is none.
   */
  public static void main(String... names) {
    var modes = DemoModes.of(List.of(names));
    Runtime.getRuntime().addShutdownHook(new Thread(() -> Lab.down(NAME)));
    long failed;
    try (var cluster = TestCluster.inLab(DemoModes.lab(NAME))) {
      failed = new Demo(cluster, modes).run();
    }
    if (failed > 0) {
      System.err.println("demo: " + failed + " requests failed");
    }
    System.exit(failed > 0 ? 1 : 0);
  }

  private long run() {
    say("a web Service with a pod on every node; traffic from a pod and from outside");
    WebLoad.deploy(cluster);
    try (var load = WebLoad.start(cluster, pace)) {
      load.phase("kube-proxy");
      awaitMore(load);
      say("helm install pointsman");
      cluster.install(pace.arguments());
      try (var steps = new StepPrinter(cluster)) {
        thereAndBack(load);
      } catch (RuntimeException | Error e) {
        cluster.tell();
        throw e;
      }
      load.phase("kube-proxy again");
      awaitMore(load);
      var result = load.finish();
      say("%d requests, %d failed".formatted(result.requests(), result.failed()));
      System.out.println(result.table());
      return result.failed();
    }
  }

  private void thereAndBack(WebLoad load) {
    for (var mode : modes) {
      var name = Walk.name(mode);
      load.phase("to " + name);
      say("kubectl apply -f dataplane.yaml    # linuxDataplane: " + name);
      walk.apply(mode);
      walk.await(mode);
      load.phase("on " + name);
      show(mode);
      scale(mode, 6);
      scale(mode, 3);
      awaitMore(load);
    }
    load.phase("to kube-proxy");
    say("kubectl delete pdp default");
    walk.goBack();
    say("kube-proxy is back:");
    System.out.println(cluster.kubectl("-n", "kube-system", "get", "pods", "-o", "wide"));
  }

  private void show(LinuxDataplane mode) {
    System.out.println(cluster.kubectl("get", "pdp,ndp", "-o", "wide"));
    say("kube-proxy's pods are gone:");
    System.out.println(cluster.kubectl("-n", "kube-system", "get", "pods"));
    say("chains named as kube-proxy's on the nodes:");
    for (var node : cluster.nodes()) {
      System.out.println(node.name() + ": " + walk.kubeProxyChains(node.name()).size());
    }
    for (var node : walk.nodeDataplanes()) {
      System.out.printf(
          "%s: desired %s, kernel %s, proven %s at %s%n",
          node.getMetadata().getName(),
          node.getStatus().desiredDigest,
          node.getStatus().kernelDigest,
          node.getStatus().proven,
          node.getStatus().verifiedAt);
    }
    say("what the kernel of one node holds for the Service:");
    System.out.println(walk.webInKernel(mode));
  }

  private void scale(LinuxDataplane mode, int replicas) {
    say("kubectl scale deployment/web --replicas=" + replicas);
    walk.scaleWeb(mode, replicas);
    System.out.println(walk.webInKernel(mode));
  }

  private void awaitMore(WebLoad load) {
    var until = load.requests() + (long) BETWEEN * pace.perSecond();
    await().atMost(pace.limit()).until(() -> load.requests() >= until);
  }

  private static void say(String what) {
    System.out.printf("%n\033[1m%s  %s\033[0m%n", SECONDS.format(LocalTime.now()), what);
  }
}
