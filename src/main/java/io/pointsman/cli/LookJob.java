// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/** The job of one node, from a template that can be read. */
final class LookJob {
  /** On everything that one run of the command makes. */
  static final String RUN_LABEL = "pointsman.io/verify-run";

  private static final String TEMPLATE = "/cli/verify-job.yaml";

  private LookJob() {}

  static Job on(String node, String run, LookSettings settings) {
    Job job = template();
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

  private static void mark(Map<String, String> labels, String run) {
    labels.put(RUN_LABEL, run);
  }

  private static Job template() {
    try (InputStream stream = LookJob.class.getResourceAsStream(TEMPLATE)) {
      if (stream == null) {
        throw new IllegalStateException("the jar lacks " + TEMPLATE);
      }
      return Serialization.unmarshal(stream, Job.class);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + TEMPLATE, e);
    }
  }
}
