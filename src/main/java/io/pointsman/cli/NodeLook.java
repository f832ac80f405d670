// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.Node;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.cli.LookPod.LookException;
import io.pointsman.cli.VerifyReport.NodeReport;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.verify.kubeproxy.Difference;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import io.pointsman.verify.kubeproxy.KubeProxyVerifier;
import io.pointsman.verify.kubeproxy.Settling;
import java.util.List;
import java.util.Set;

/** Looks at one node until what differs has gone or has lasted. */
final class NodeLook {
  private static final long PAUSE_MILLIS = 2_000;

  private final ServiceLists services;
  private final LookSettings settings;
  private final Node node;

  /** Reads a kernel. */
  @FunctionalInterface
  interface Kernel {
    /** What kube-proxy has there now. */
    List<KubeProxyState> read() throws LookException, InterruptedException;
  }

  NodeLook(ServiceLists services, LookSettings settings, Node node) {
    this.services = services;
    this.settings = settings;
    this.node = node;
  }

  NodeReport until(Kernel kernel) throws LookException, InterruptedException {
    Settling settling = new Settling(settings.settle().toNanos());
    while (true) {
      List<ExpectedPort> expected = services.expectedOn(node);
      KubeProxyVerdict verdict =
          new KubeProxyVerifier(expected, ServiceLists.PROTOCOLS).verify(kernel.read());
      Settling.State state = settling.add(verdict.differences(), System.nanoTime());
      if (state != Settling.State.WAITING) {
        Set<Difference> lasting = settling.lasting();
        return NodeReport.of(node.getMetadata().getName(), verdict.keeping(lasting::contains));
      }
      Thread.sleep(PAUSE_MILLIS);
    }
  }
}
