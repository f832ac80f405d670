// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.nio.file.Path;
import java.time.Duration;

/** A client of an API server that shares its processors with all else of a cluster. */
public final class PatientClient {
  private static final Duration ANSWER = Duration.ofMinutes(2);

  private PatientClient() {}

  /** With the rights of that kubeconfig; a connection and an answer may take two minutes. */
  public static KubernetesClient of(Path kubeconfig) {
    var config = Config.fromKubeconfig(kubeconfig.toFile());
    config.setConnectionTimeout((int) ANSWER.toMillis());
    config.setRequestTimeout((int) ANSWER.toMillis());
    return new KubernetesClientBuilder().withConfig(config).build();
  }
}
