// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.api.Scheduler;
import io.pointsman.api.StepResult;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Drives a Scene of one node and writes down every place that the node is asked for. */
final class Trail {
  static final String NODE = "n1";
  static final String GONE = "gone";

  /** After so many rounds in which nothing is asked the node has come to its end. */
  private static final int QUIET = 6;

  private static final int MOST = 120;

  final Scene scene;
  final List<String> places = new ArrayList<>();
  final Followers followers;

  /** What the agent fails at. */
  Predicate<NodeDataplaneSpec> failing = spec -> false;

  private Trail(Scene scene) {
    this.scene = scene;
    this.followers = new Followers(scene, NODE);
  }

  /** A node that rests where it begins: on kube-proxy (null) or converged on a dataplane. */
  static Trail from(@Nullable LinuxDataplane dataplane) {
    Trail trail = new Trail(Scene.of(NODE));
    if (dataplane != null) {
      before(trail.scene.dataplane("default").getSpec(), dataplane);
      trail.follow().places.clear();
    }
    return trail;
  }

  /** Asks for kube-proxy (null) or a dataplane. */
  Trail to(@Nullable LinuxDataplane dataplane) {
    if (dataplane == null) {
      scene.delete("default");
    } else if (scene.ruled.isEmpty()) {
      scene.dataplane("default").getSpec().linuxDataplane = dataplane;
    } else {
      scene.edit(spec -> after(spec, dataplane));
    }
    return this;
  }

  /** Asks again for exactly what the node began with. */
  Trail home(LinuxDataplane dataplane) {
    scene.edit(spec -> before(spec, dataplane));
    return this;
  }

  /** Settings that are told from those after a switch. */
  static void before(ProxyDataplaneSpec spec, LinuxDataplane dataplane) {
    spec.linuxDataplane = dataplane;
    spec.scheduler = dataplane == LinuxDataplane.IPVS ? Scheduler.WLC : Scheduler.RANDOM;
    spec.nodePort.addresses = List.of("10.0.0.0/8");
    spec.rollout.drainSeconds = 17;
  }

  private static void after(ProxyDataplaneSpec spec, LinuxDataplane dataplane) {
    spec.linuxDataplane = dataplane;
    spec.scheduler = Scheduler.RR;
    spec.nodePort.addresses = List.of();
    spec.rollout.drainSeconds = 300;
  }

  /** Everybody does as asked, or fails, until nothing new is asked. */
  Trail follow() {
    int quiet = 0;
    for (int round = 0; round < MOST && quiet < QUIET; round++) {
      int before = places.size();
      round();
      quiet = places.size() == before ? quiet + 1 : 0;
    }
    return this;
  }

  /** Until the node is asked for this in its turn; its agent has not answered yet. */
  Trail until(String place) {
    for (int round = 0; round < MOST; round++) {
      look();
      NodeDataplane current = scene.ruled.get(NODE);
      if (here().equals(place) && (current == null || !Scene.waits(current))) {
        return this;
      }
      answer();
    }
    throw new AssertionError("never got to " + place + ": " + places);
  }

  private void round() {
    look();
    answer();
  }

  void look() {
    scene.look();
    if (places.isEmpty() || !places.getLast().equals(here())) {
      places.add(here());
    }
  }

  void answer() {
    scene.kubelets();
    NodeDataplane current = scene.ruled.get(NODE);
    if (current != null) {
      boolean fails = failing.test(current.getSpec());
      scene.hear(NODE, fails ? StepResult.FAILED : StepResult.DONE);
      followers.asked(current.getSpec(), fails);
    }
    scene.advance(Duration.ofSeconds(1));
  }

  /** As "BPF/CLEAN/DETACHED". */
  String here() {
    NodeDataplane current = scene.ruled.get(NODE);
    return current == null ? GONE : place(current.getSpec());
  }

  static String place(NodeDataplaneSpec spec) {
    return name(spec.linuxDataplane) + "/" + spec.step + "/" + spec.kubeProxy;
  }

  static String name(@Nullable LinuxDataplane dataplane) {
    return dataplane == null ? "kube-proxy" : Words.of(dataplane);
  }
}
