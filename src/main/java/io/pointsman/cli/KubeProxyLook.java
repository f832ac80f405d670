// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.agent.KubeProxyPatience;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.cli.LookPod.LookException;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Looks again at a kube-proxy that a plan has found behind, each time with the Services as they are
 * then: they may have changed since those were listed that the plan was made from.
 */
final class KubeProxyLook {
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(2);

  /** The pod that is looked in does not last for ever. */
  private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(30);

  /** Of the time, looking takes one part in so many and one. */
  private static final int REST = 4;

  private final Supplier<Catalogue> services;
  private final KubeProxyPatience patience;
  private final Pause pause;

  /** Lets time pass. */
  @FunctionalInterface
  interface Pause {
    /** For so long. */
    void nanos(long nanos) throws InterruptedException;
  }

  /**
   * At the kube-proxy of one node.
   *
   * @param services those of now, as that node sees them
   */
  KubeProxyLook(Supplier<Catalogue> services, KubeProxyPatience patience, Pause pause) {
    this.services = services;
    this.patience = patience;
    this.pause = pause;
  }

  /** Puts right what an answer says of kube-proxy, when that would stop the node. */
  void settle(NodeDataplaneStatus answer, NodeLook.Kernel kernel)
      throws LookException, InterruptedException {
    if (!KubeProxyPatience.isNeededFor(answer)) {
      return;
    }
    while (true) {
      Catalogue listed = services.get();
      long begun = System.nanoTime();
      List<KubeProxyState> rules = kernel.read();
      long taken = System.nanoTime() - begun;
      if (patience.isOver(listed, rules)) {
        patience.correct(answer);
        return;
      }
      pause.nanos(Math.clamp(REST * taken, PAUSE_NANOS, LONGEST_PAUSE_NANOS));
    }
  }
}
