// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.util.List;
import java.util.Optional;

/** The pods of the agents, as they are or as the operator would make them. */
final class AgentPods {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String TEMPLATE = "/operator/agent-daemonset.yaml";
  private static final String CAPABILITIES = "POINTSMAN_AGENT_CAPABILITIES";

  private AgentPods() {}

  /** Those that run, else those that the operator there is would make, else the template's. */
  static PodSpec of(KubernetesClient client) {
    return running(client).orElseGet(() -> asMade(LookSettings.operator(client)));
  }

  private static Optional<PodSpec> running(KubernetesClient client) {
    return LookSettings.ours(client.apps().daemonSets().inAnyNamespace(), "agent")
        .map(it -> it.getSpec().getTemplate().getSpec());
  }

  private static PodSpec asMade(Optional<Deployment> operator) {
    PodSpec pod = LookJob.resource(TEMPLATE, DaemonSet.class).getSpec().getTemplate().getSpec();
    List<String> capabilities = operator.map(AgentPods::capabilities).orElse(List.of());
    if (!capabilities.isEmpty()) {
      pod.getContainers().getFirst().getSecurityContext().getCapabilities().setAdd(capabilities);
    }
    return pod;
  }

  /** What the chart has the operator give its agents; empty for those of the template. */
  private static List<String> capabilities(Deployment operator) {
    return operator.getSpec().getTemplate().getSpec().getContainers().stream()
        .flatMap(container -> container.getEnv().stream())
        .filter(variable -> CAPABILITIES.equals(variable.getName()))
        .map(EnvVar::getValue)
        .filter(value -> value != null && !value.isBlank())
        .findFirst()
        .map(AgentPods::parsed)
        .orElse(List.of());
  }

  private static List<String> parsed(String json) {
    try {
      return MAPPER.readValue(json, new TypeReference<>() {});
    } catch (JsonProcessingException e) {
      return List.of(); // the operator does not start with that, so it makes no agents
    }
  }
}
