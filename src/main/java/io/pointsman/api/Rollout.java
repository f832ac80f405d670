// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;

/** How nodes are taken over. */
public class Rollout {
  @JsonPropertyDescription(
      "How many nodes may be switching or failed at the same time; more is faster and risks more.")
  @Default("1")
  @Min(1)
  @Max(5000)
  public Integer maxUnavailable = 1;

  @JsonPropertyDescription("Nodes that go first and are watched before the rest follows.")
  @Default("{}")
  public Canary canary = new Canary();

  @JsonPropertyDescription(
      "True stops the rollout before the next step of any node; nodes keep serving as they are. A node that nobody would bring changes of Services to goes on until Activate is done, and one that fails goes back.")
  @Default("false")
  public Boolean paused = false;

  @JsonPropertyDescription(
      "True changes nothing: no label, no nodeSelector, no rule. Every node's agent runs its Preflight, and status.plan says what would be done. A node in the middle of its switch stays there.")
  @Default("false")
  public Boolean dryRun = false;

  @JsonPropertyDescription(
      "RollBack: a node that fails goes back to what it began on, kube-proxy or its dataplane before, and the rollout stops. Pause: it stays where it failed, still serving, and the rollout stops.")
  @Default("RollBack")
  public OnFailure onFailure = OnFailure.ROLL_BACK;

  @JsonPropertyDescription(
      "Seconds one node may take for its switch before it counts as failed; the time in which flows of the old dataplane end comes on top.")
  @Default("600")
  @Min(10)
  @Max(86400)
  public Integer progressDeadlineSeconds = 600;

  @JsonPropertyDescription(
      "Seconds that established flows get to end in the old dataplane before it is removed. 0 removes it at once.")
  @Default("300")
  @Min(0)
  @Max(86400)
  public Integer drainSeconds = 300;
}
