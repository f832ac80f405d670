// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.ResourceRequirements;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.pointsman.api.ProxyDataplane;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.TreeMap;

/** The agents, from a template that can be read, with what the chart sets. */
final class AgentDaemonSet extends OwnedDependent<DaemonSet> {
  static final String NAME = "pointsman-agent";
  private static final String TEMPLATE = "/operator/agent-daemonset.yaml";

  private final OperatorOptions options;

  AgentDaemonSet(OperatorOptions options) {
    super(DaemonSet.class, options.namespace(), NAME);
    this.options = options;
  }

  @Override
  protected DaemonSet desired(ProxyDataplane primary, Context<ProxyDataplane> context) {
    return desired(options);
  }

  static DaemonSet desired(OperatorOptions options) {
    DaemonSet daemonSet = template();
    daemonSet.getMetadata().setNamespace(options.namespace());
    PodSpec pod = daemonSet.getSpec().getTemplate().getSpec();
    pod.setServiceAccountName(options.agentServiceAccount());
    pod.setPriorityClassName(options.agentPriorityClass());
    if (!options.agentTolerations().isEmpty()) {
      pod.setTolerations(new ArrayList<>(options.agentTolerations()));
    }
    if (!options.agentPullSecrets().isEmpty()) {
      pod.setImagePullSecrets(new ArrayList<>(options.agentPullSecrets()));
    }
    Container agent = pod.getContainers().getFirst();
    agent.setImage(options.agentImage());
    agent.setImagePullPolicy(options.agentImagePullPolicy());
    if (!options.agentResources().equals(new ResourceRequirements())) {
      agent.setResources(options.agentResources());
    }
    if (!options.agentCapabilities().isEmpty()) {
      agent
          .getSecurityContext()
          .getCapabilities()
          .setAdd(new ArrayList<>(options.agentCapabilities()));
    }
    // In the order of their names: another order would be another pod.
    new TreeMap<>(options.agentEnvironment())
        .forEach((name, value) -> agent.getEnv().add(new EnvVar(name, value, null)));
    return daemonSet;
  }

  private static DaemonSet template() {
    try (InputStream stream = AgentDaemonSet.class.getResourceAsStream(TEMPLATE)) {
      if (stream == null) {
        throw new IllegalStateException("the jar lacks " + TEMPLATE);
      }
      return Serialization.unmarshal(stream, DaemonSet.class);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + TEMPLATE, e);
    }
  }
}
