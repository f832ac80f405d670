// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.Step;
import io.pointsman.api.StepResult;

/**
 * Where the agent is in the switch.
 *
 * @param reason stable, CamelCase
 * @param message one or more sentences for a person
 */
record Progress(Step step, StepResult result, String reason, String message) {
  static Progress under(Step step, String reason, String message) {
    return new Progress(step, StepResult.IN_PROGRESS, reason, message);
  }

  static Progress failed(Step step, String reason, String message) {
    return new Progress(step, StepResult.FAILED, reason, message);
  }

  /** While kube-proxy is to come there is nothing else to do to rules that share its names. */
  static Progress kubeProxyMayCome(Step step) {
    return new Progress(
        step,
        StepResult.DONE,
        "Done",
        "kube-proxy may come: no Service goes with what it deletes.");
  }

  static Progress done(Step step) {
    String message =
        switch (step) {
          case PREFLIGHT -> "Nothing stands in the way of the switch.";
          case PREPARE -> "The kernel holds every Service and takes no traffic yet.";
          case ACTIVATE -> "New connections are served, and the probe was answered.";
          case CLEAN -> "The node serves every Service; nothing of kube-proxy is left.";
          case DRAIN -> "kube-proxy serves new connections, and no established one is left behind.";
          case REMOVE -> "Nothing of Pointsman is left in the kernel.";
        };
    return new Progress(step, StepResult.DONE, "Done", message);
  }

  boolean isDone() {
    return result == StepResult.DONE;
  }

  boolean isFailed() {
    return result == StepResult.FAILED;
  }
}
