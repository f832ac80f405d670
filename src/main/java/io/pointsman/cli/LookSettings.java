// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * How nodes are looked at.
 *
 * @param namespace where the pods run
 * @param settle for how long a difference must last before it counts
 * @param timeout for a pod to start, and for one look
 * @param parallel how many nodes at a time
 */
record LookSettings(
    String namespace,
    String image,
    String pullPolicy,
    List<LocalObjectReference> pullSecrets,
    Duration settle,
    Duration timeout,
    int parallel) {
  private static final Duration LEAST_LIFETIME = Duration.ofMinutes(10);
  private static final String DEFAULT_NAMESPACE = "kube-system";
  private static final List<LocalObjectReference> NO_SECRETS = List.of();

  /** No image was named and no operator is there to take it from. */
  static final class ImageUnknownException extends RuntimeException {
    ImageUnknownException() {
      super("No operator of Pointsman is installed to take the image from: name it with --image");
    }
  }

  /**
   * Takes from the operator what was not named.
   *
   * @throws ImageUnknownException when there is no operator either
   */
  static LookSettings of(
      KubernetesClient client, Optional<String> image, Optional<String> namespace) {
    Optional<Deployment> operator = operator(client);
    Optional<PodSpec> pod = operator.map(it -> it.getSpec().getTemplate().getSpec());
    String own = operator.map(it -> it.getMetadata().getNamespace()).orElse(DEFAULT_NAMESPACE);
    String chosen = namespace.orElse(own);
    boolean operatorsNamespace = operator.isPresent() && chosen.equals(own);
    return new LookSettings(
        chosen,
        image
            .or(() -> pod.map(it -> it.getContainers().getFirst().getImage()))
            .orElseThrow(ImageUnknownException::new),
        image.isPresent()
            ? "IfNotPresent"
            : pod.map(it -> it.getContainers().getFirst().getImagePullPolicy())
                .orElse("IfNotPresent"),
        operatorsNamespace
            ? pod.map(it -> Objects.requireNonNullElse(it.getImagePullSecrets(), NO_SECRETS))
                .orElse(NO_SECRETS)
            : NO_SECRETS,
        Duration.ZERO,
        Duration.ZERO,
        1);
  }

  /** Where the operator is; empty when there is none or this person may not see it. */
  static Optional<String> operatorNamespace(KubernetesClient client) {
    return operator(client).map(it -> it.getMetadata().getNamespace());
  }

  /** The operator's Deployment, empty when there is none or this person may not see it. */
  static Optional<Deployment> operator(KubernetesClient client) {
    return ours(client.apps().deployments().inAnyNamespace(), "operator");
  }

  /** What Pointsman has for a component, empty when there is none or this person may not see it. */
  static <T extends HasMetadata, L extends KubernetesResourceList<T>, R> Optional<T> ours(
      FilterWatchListDeletable<T, L, R> all, String component) {
    try {
      return all
          .withLabel("app.kubernetes.io/name", "pointsman")
          .withLabel("app.kubernetes.io/component", component)
          .list()
          .getItems()
          .stream()
          .findFirst();
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_FORBIDDEN) {
        return Optional.empty();
      }
      throw e;
    }
  }

  /**
   * After which a pod ends that nobody has deleted: it may take {@code timeout} to start, to answer
   * and, when differences have lasted, for the look that was begun last.
   */
  Duration lifetime() {
    Duration needed = timeout.multipliedBy(3).plus(settle).plusMinutes(1);
    return needed.compareTo(LEAST_LIFETIME) > 0 ? needed : LEAST_LIFETIME;
  }

  /** The same, with another time that a difference must last. */
  LookSettings settling(Duration forDifferences) {
    return lasting(forDifferences, timeout, parallel);
  }

  LookSettings lasting(Duration forDifferences, Duration forPods, int nodesAtATime) {
    return new LookSettings(
        namespace, image, pullPolicy, pullSecrets, forDifferences, forPods, nodesAtATime);
  }
}
