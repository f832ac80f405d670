// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The job of one node, from a template that can be read. */
final class LookJob {
  /** On everything that one run of the command makes. */
  static final String RUN_LABEL = "pointsman.io/look-run";

  private static final String COMPONENT_LABEL = "app.kubernetes.io/component";
  private static final String TEMPLATE = "/cli/look-job.yaml";

  /** What of an agent's a look has no use for, or has already. */
  private static final Set<String> NOT_LOOKED_AT = Set.of("api-servers", "tmp");

  private LookJob() {}

  static Job on(String node, String run, LookSettings settings) {
    Job job = resource(TEMPLATE, Job.class);
    job.getMetadata().setNamespace(settings.namespace());
    mark(job.getMetadata().getLabels(), run);
    mark(job.getSpec().getTemplate().getMetadata().getLabels(), run);
    PodSpec pod = job.getSpec().getTemplate().getSpec();
    pod.setNodeName(node);
    pod.setImagePullSecrets(settings.pullSecrets());
    long seconds = settings.lifetime().toSeconds();
    job.getSpec().setActiveDeadlineSeconds(seconds);
    Container container = pod.getContainers().getFirst();
    container.setImage(settings.image());
    container.setImagePullPolicy(settings.pullPolicy());
    container.setArgs(List.of(Long.toString(seconds)));
    return job;
  }

  /**
   * The job that sees of a node what an agent sees: with its rights, and what it mounts.
   *
   * @param agents the pods of {@link AgentPods}
   */
  static Job asAgent(String node, String run, LookSettings settings, PodSpec agents) {
    Job job = on(node, run, settings);
    job.getMetadata().setGenerateName("pointsman-plan-");
    job.getMetadata().getLabels().put(COMPONENT_LABEL, "plan");
    job.getSpec().getTemplate().getMetadata().getLabels().put(COMPONENT_LABEL, "plan");
    PodSpec pod = job.getSpec().getTemplate().getSpec();
    Container container = pod.getContainers().getFirst();
    Container agent = agents.getContainers().getFirst();
    container.setSecurityContext(agent.getSecurityContext());
    if (agent.getResources() != null) {
      container.setResources(agent.getResources());
    }
    agent.getVolumeMounts().stream()
        .filter(mount -> !NOT_LOOKED_AT.contains(mount.getName()))
        .forEach(container.getVolumeMounts()::add);
    agents.getVolumes().stream()
        .filter(volume -> !NOT_LOOKED_AT.contains(volume.getName()))
        .forEach(pod.getVolumes()::add);
    return job;
  }

  private static void mark(Map<String, String> labels, String run) {
    labels.put(RUN_LABEL, run);
  }

  /** A resource of the jar's. */
  static <T> T resource(String name, Class<T> kind) {
    try (InputStream stream = LookJob.class.getResourceAsStream(name)) {
      if (stream == null) {
        throw new IllegalStateException("the jar lacks " + name);
      }
      return Serialization.unmarshal(stream, kind);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name, e);
    }
  }
}
