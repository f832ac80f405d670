// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.ContainerFetchException;
import org.testcontainers.images.RemoteDockerImage;

/** Skips a test, and tells the reason, where no container engine can run k3s. */
final class ContainerEngine implements ExecutionCondition {
  @Override
  public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
    if (context.getTestMethod().isPresent()) {
      return ConditionEvaluationResult.enabled("the class was looked at");
    }
    if (!DockerClientFactory.instance().isDockerAvailable()) {
      return ConditionEvaluationResult.disabled(
          "no container engine answers: start Docker or Podman, and set DOCKER_HOST if its socket"
              + " is not where Docker has it");
    }
    var info = DockerClientFactory.instance().client().infoCmd().exec().getRawValues();
    if (!"2".equals(String.valueOf(info.get("CgroupVersion")))) {
      return ConditionEvaluationResult.disabled(
          "the container engine's machine has no cgroup v2, which BPF at sockets needs");
    }
    try {
      return ConditionEvaluationResult.enabled(
          "there is " + new RemoteDockerImage(K3sPlace.IMAGE).get());
    } catch (ContainerFetchException e) {
      return ConditionEvaluationResult.disabled(
          "the container engine cannot get %s: %s".formatted(K3sPlace.IMAGE, e.getMessage()));
    }
  }
}
