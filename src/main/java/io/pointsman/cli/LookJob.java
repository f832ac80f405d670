// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Set;

/** The job of one node, from a template that can be read. */
final class LookJob {
  /** On everything that one run of the command makes. */
  static final String RUN_LABEL = "pointsman.io/verify-run";

  private static final String TEMPLATE = "/cli/verify-job.yaml";
  private static final String AGENTS = "/operator/agent-daemonset.yaml";

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
    Container container = pod.getContainers().getFirst();
    container.setImage(settings.image());
    container.setImagePullPolicy(settings.pullPolicy());
    return job;
  }

  /** The job that sees of a node what an agent sees: with its rights, and what it mounts. */
  static Job asAgent(String node, String run, LookSettings settings) {
    Job job = on(node, run, settings);
    job.getMetadata().setGenerateName("pointsman-plan-");
    PodSpec pod = job.getSpec().getTemplate().getSpec();
    PodSpec agents = resource(AGENTS, DaemonSet.class).getSpec().getTemplate().getSpec();
    Container container = pod.getContainers().getFirst();
    Container agent = agents.getContainers().getFirst();
    container.setSecurityContext(agent.getSecurityContext());
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

  private static <T> T resource(String name, Class<T> kind) {
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
