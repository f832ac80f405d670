// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.Toleration;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the chart tells the operator.
 *
 * @param namespace where the operator, its lease and the agents live
 * @param identity who the operator is in the lease, usually the pod's name
 * @param agentTolerations of the agents; empty means that they tolerate everything
 * @param agentCapabilities that the agents need; empty means those of the template
 * @param agentEnvironment variables of the agents beside those of the template
 * @param version of the product, for the status
 */
public record OperatorOptions(
    String namespace,
    String identity,
    String agentImage,
    String agentImagePullPolicy,
    String agentServiceAccount,
    ResourceRequirements agentResources,
    List<Toleration> agentTolerations,
    List<LocalObjectReference> agentPullSecrets,
    String agentPriorityClass,
    List<String> agentCapabilities,
    Map<String, String> agentEnvironment,
    String version,
    Timings timings) {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Set<String> PULL_POLICIES = Set.of("Always", "IfNotPresent", "Never");

  /** Takes copies. */
  public OperatorOptions {
    agentTolerations = List.copyOf(agentTolerations);
    agentPullSecrets = List.copyOf(agentPullSecrets);
    agentCapabilities = List.copyOf(agentCapabilities);
    agentEnvironment = Map.copyOf(agentEnvironment);
  }

  /**
   * How fast the operator is.
   *
   * @param selectorBackoff how long it waits before it restores a selector that somebody removed;
   *     doubles with each time
   * @param leaseDuration how long a silent leader keeps the lease
   * @param renewDeadline when a leader that cannot renew gives up
   * @param retryPeriod between two attempts at the lease
   */
  public record Timings(
      Duration selectorBackoff,
      Duration leaseDuration,
      Duration renewDeadline,
      Duration retryPeriod) {
    /** What a cluster gets; the lease's are Kubernetes' own defaults. */
    public static final Timings DEFAULT =
        new Timings(
            Duration.ofSeconds(5),
            Duration.ofSeconds(15),
            Duration.ofSeconds(10),
            Duration.ofSeconds(2));
  }

  /**
   * Reads the environment that the chart sets.
   *
   * @throws IllegalArgumentException naming the variable that is missing or wrong
   */
  public static OperatorOptions fromEnvironment(Map<String, String> environment, String version) {
    String policy = environment.getOrDefault("POINTSMAN_AGENT_IMAGE_PULL_POLICY", "IfNotPresent");
    if (!PULL_POLICIES.contains(policy)) {
      throw new IllegalArgumentException(
          "POINTSMAN_AGENT_IMAGE_PULL_POLICY is "
              + policy
              + ": set it to Always, IfNotPresent or Never");
    }
    return new OperatorOptions(
        required(environment, "POINTSMAN_NAMESPACE"),
        environment.getOrDefault("POD_NAME", environment.getOrDefault("HOSTNAME", "operator")),
        required(environment, "POINTSMAN_AGENT_IMAGE"),
        policy,
        environment.getOrDefault("POINTSMAN_AGENT_SERVICE_ACCOUNT", "pointsman-agent"),
        json(environment, "POINTSMAN_AGENT_RESOURCES", "{}", new TypeReference<>() {}),
        json(environment, "POINTSMAN_AGENT_TOLERATIONS", "[]", new TypeReference<>() {}),
        json(environment, "POINTSMAN_AGENT_IMAGE_PULL_SECRETS", "[]", new TypeReference<>() {}),
        environment.getOrDefault("POINTSMAN_AGENT_PRIORITY_CLASS", "system-node-critical"),
        json(environment, "POINTSMAN_AGENT_CAPABILITIES", "[]", new TypeReference<>() {}),
        json(environment, "POINTSMAN_AGENT_ENVIRONMENT", "{}", new TypeReference<>() {}),
        version,
        Timings.DEFAULT);
  }

  private static String required(Map<String, String> environment, String name) {
    String value = environment.getOrDefault(name, "");
    if (value.isBlank()) {
      throw new IllegalArgumentException(
          name + " is not set: the operator is installed by the Helm chart, which sets it");
    }
    return value;
  }

  private static <T> T json(
      Map<String, String> environment, String name, String otherwise, TypeReference<T> type) {
    String text = environment.getOrDefault(name, "");
    try {
      return MAPPER.readValue(text.isBlank() ? otherwise : text, type);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          name + " is not the JSON it should be: " + e.getOriginalMessage(), e);
    }
  }
}
