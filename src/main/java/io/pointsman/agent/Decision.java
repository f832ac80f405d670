// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.Step;

/**
 * What is to be done next, and under which step it is reported.
 *
 * @param step where the agent is
 */
record Decision(Step step, Action action) {
  /** The things an agent can do. */
  enum Action {
    /** Nothing: the step is done, and it is as far as the agent may go. */
    DONE,
    /** Wait until the watches have delivered everything. */
    AWAIT_SYNC,
    /** Wait until the operator says that kube-proxy has left. */
    AWAIT_DETACH,
    /** Look whether kube-proxy's rules serve every Service. */
    CHECK_RULES,
    PREFLIGHT,
    PREPARE,
    ACTIVATE,
    /** Take away what kube-proxy left that would take new flows in the target's place. */
    SILENCE,
    PROBE,
    /** Let the other dataplanes of this node drain, and take them out. */
    RETIRE,
    CLEAN,
    DRAIN,
    REMOVE
  }
}
