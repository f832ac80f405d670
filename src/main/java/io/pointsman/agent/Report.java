// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.KernelSetting;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.PreflightFinding;
import io.pointsman.api.SwitchPlan;
import io.pointsman.catalogue.Digest;
import io.pointsman.dataplane.KernelState;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the status shall say, but for when and by whom.
 *
 * @param proof null when the kernel holds nothing that could be proven
 * @param mismatches what the last read-back that differed found
 * @param plan what the switch would do, null when that was not counted
 */
record Report(
    long generation,
    long attempt,
    @Nullable Progress progress,
    List<PreflightFinding> findings,
    Digest catalogue,
    @Nullable Proof proof,
    int mismatches,
    List<String> samples,
    List<String> refused,
    @Nullable Long drainingFlows,
    @Nullable SwitchPlan plan) {

  /** What must be told at once when it changes; digests and counts follow with the heartbeat. */
  record Verdict(
      long generation,
      long attempt,
      @Nullable String step,
      boolean proven,
      List<PreflightFinding> findings,
      int mismatches,
      List<String> refused,
      List<KernelState.Setting> settings) {}

  Verdict verdict() {
    String step =
        progress == null
            ? null
            : progress.step() + " " + progress.result() + " " + progress.reason();
    List<KernelState.Setting> settings = proof == null ? List.of() : proof.settings();
    return new Verdict(
        generation, attempt, step, proven(), findings, mismatches, refused, settings);
  }

  private boolean proven() {
    return proof != null && proof.proven();
  }

  /** The same without what changes with every read-back. */
  Report withoutTime() {
    Proof timeless = proof == null ? null : proof.at(Instant.EPOCH);
    return new Report(
        generation,
        attempt,
        progress,
        findings,
        catalogue,
        timeless,
        mismatches,
        samples,
        refused,
        drainingFlows,
        plan);
  }

  private static KernelSetting told(KernelState.Setting setting) {
    KernelSetting told = new KernelSetting();
    told.name = setting.name();
    told.value = setting.value();
    told.before = setting.before();
    return told;
  }

  /** A fresh status with nothing of an older one. */
  NodeDataplaneStatus status(String agentVersion) {
    NodeDataplaneStatus status = new NodeDataplaneStatus();
    status.observedGeneration = generation;
    status.attempt = attempt;
    if (progress != null) {
      status.step = progress.step();
      status.result = progress.result();
      status.reason = progress.reason();
      status.message = progress.message();
    }
    status.preflight = findings;
    status.catalogueDigest = catalogue.toString();
    status.proven = proven();
    if (proof != null) {
      status.desiredDigest = proof.desired().toString();
      status.kernelDigest = proof.kernel().toString();
      status.frontends = proof.frontends();
      status.backends = proof.backends();
      proof.settings().forEach(setting -> status.kernelSettings.add(told(setting)));
      status.verifiedAt = proof.proven() ? proof.at().toString() : null;
    }
    status.mismatches = mismatches;
    status.mismatchSamples = samples;
    status.refused = refused;
    status.drainingFlows = drainingFlows;
    status.plan = plan;
    status.agentVersion = agentVersion;
    return status;
  }
}
