// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.Step;
import org.jspecify.annotations.Nullable;

/** Plays who brings changes of Services to one node's kernel: kube-proxy, its agent, or nobody. */
final class Followers {
  private final Scene scene;
  private final String node;
  private @Nullable LinuxDataplane serves;
  private boolean agentFollows;
  private boolean standIn;

  Followers(Scene scene, String node) {
    this.scene = scene;
    this.node = node;
  }

  /** The agent has been asked for this. */
  void asked(NodeDataplaneSpec spec, boolean fails) {
    Step step = spec.step;
    LinuxDataplane wanted = spec.linuxDataplane;
    boolean handsOff =
        underItsNames(wanted)
            && spec.kubeProxy != null
            && spec.kubeProxy != KubeProxyState.DETACHED;
    boolean forward = step == Step.ACTIVATE || step == Step.CLEAN;
    if (!fails && forward && !handsOff) {
      serves = wanted;
    }
    if (!fails && (step == Step.DRAIN || step == Step.REMOVE)) {
      serves = null;
      standIn = false;
    }
    if (!fails && spec.kubeProxy == KubeProxyState.ATTACHING) {
      standIn = underItsNames(serves);
    }
    agentFollows = !(handsOff && (serves == null || underItsNames(serves)));
  }

  /** Whether kube-proxy's own names serve. */
  private static boolean underItsNames(@Nullable LinuxDataplane dataplane) {
    return dataplane == LinuxDataplane.IPTABLES || dataplane == LinuxDataplane.IPVS;
  }

  boolean anybody() {
    return scene.pods.containsKey(node) || standIn || (serves != null && agentFollows);
  }
}
