// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.Step;

/** When kube-proxy leaves a node that goes from it to one of Pointsman's dataplanes. */
enum DetachOrder {
  /**
   * Before the first rule is written: the dataplane uses kube-proxy's own names and takes its rules
   * over in place, which serve on after kube-proxy has gone.
   */
  BEFORE_PREPARE(Step.PREFLIGHT),
  /** When the dataplane serves beside it. */
  AFTER_ACTIVATE(Step.ACTIVATE);

  private final Step step;

  DetachOrder(Step step) {
    this.step = step;
  }

  static DetachOrder of(LinuxDataplane dataplane) {
    return switch (dataplane) {
      case IPTABLES, IPVS -> BEFORE_PREPARE;
      case NFTABLES, BPF -> AFTER_ACTIVATE;
    };
  }

  /** The step that has to be done before kube-proxy leaves. */
  Step after() {
    return step;
  }

  /** Whether a node that has done this step does no other before kube-proxy has left. */
  boolean holds(Step done) {
    return done.compareTo(step) >= 0;
  }
}
