// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.KubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.pointsman.api.ProxyDataplane;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The ProxyDataplane of a file as the API server would store it. The server is asked by a request
 * that it checks whole, defaults and rules included, and does not carry out.
 */
final class PlanFile {
  private static final String STDIN = "-";
  private static final String API_VERSION = ProxyDataplane.GROUP + "/" + ProxyDataplane.VERSION;
  private static final int ATTEMPTS = 5;

  /** What the server answers to a resource that is wrong in itself. */
  private static final Set<Integer> REFUSALS = Set.of(400, 422);

  private static final ResourceDefinitionContext KIND =
      new ResourceDefinitionContext.Builder()
          .withGroup(ProxyDataplane.GROUP)
          .withVersion(ProxyDataplane.VERSION)
          .withKind("ProxyDataplane")
          .withPlural("proxydataplanes")
          .withNamespaced(false)
          .build();

  private static final ObjectMapper LENIENT =
      new ObjectMapper().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES);

  private PlanFile() {}

  /** The file holds no ProxyDataplane that the cluster would take; the message says why. */
  static final class WrongFileException extends RuntimeException {
    WrongFileException(String message) {
      super(message);
    }
  }

  /**
   * Reads a file, {@code -} for standard input.
   *
   * @throws WrongFileException when it is not exactly one ProxyDataplane
   */
  static GenericKubernetesResource read(String file) {
    GenericKubernetesResource resource;
    try (InputStream in = STDIN.equals(file) ? System.in : Files.newInputStream(Path.of(file))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      resource = only(Serialization.unmarshal(text));
    } catch (IOException e) {
      throw new WrongFileException(file + " cannot be read: name a YAML or JSON file");
    } catch (RuntimeException e) {
      throw new WrongFileException(file + " is no resource in YAML or JSON: " + firstLine(e));
    }
    if (resource == null
        || !"ProxyDataplane".equals(resource.getKind())
        || !API_VERSION.equals(resource.getApiVersion())) {
      throw new WrongFileException(
          file + " must hold one resource, a ProxyDataplane of " + API_VERSION);
    }
    if (resource.getMetadata() == null || resource.getMetadata().getName() == null) {
      throw new WrongFileException(file + " lacks metadata.name: give the resource a name");
    }
    return resource;
  }

  /** The resource of a file; null when there is none, or more than one. */
  private static @Nullable GenericKubernetesResource only(@Nullable Object parsed) {
    List<?> all = parsed instanceof List<?> list ? list : Collections.singletonList(parsed);
    Object first = all.size() == 1 ? all.getFirst() : null;
    return first instanceof KubernetesResource || first instanceof Map
        ? LENIENT.convertValue(first, GenericKubernetesResource.class)
        : null;
  }

  /**
   * The resource as it would be stored in place of the one of its name; nothing is stored.
   *
   * @throws WrongFileException when the server refuses it, in the server's words
   * @throws KubernetesClientException when the server cannot be asked
   */
  static ProxyDataplane checked(KubernetesClient client, GenericKubernetesResource wanted) {
    for (int attempt = 1; ; attempt++) {
      try {
        return LENIENT.convertValue(stored(client, wanted), ProxyDataplane.class);
      } catch (KubernetesClientException e) {
        // The operator writes the status now and then, or somebody else was faster.
        if (e.getCode() != HttpURLConnection.HTTP_CONFLICT || attempt == ATTEMPTS) {
          throw refused(wanted.getMetadata().getName(), e);
        }
      }
    }
  }

  /** What the server would store. */
  private static GenericKubernetesResource stored(
      KubernetesClient client, GenericKubernetesResource wanted) {
    ObjectMeta own = wanted.getMetadata();
    GenericKubernetesResource live =
        client.genericKubernetesResources(KIND).withName(own.getName()).get();
    GenericKubernetesResource asked = LENIENT.convertValue(wanted, GenericKubernetesResource.class);
    if (live != null) {
      asked.setMetadata(live.getMetadata());
    }
    var request =
        client
            .genericKubernetesResources(KIND)
            .resource(asked)
            .dryRun()
            .fieldValidation(Validation.STRICT);
    return live == null ? request.create() : request.update();
  }

  /** What a failure means for the file of a resource of this name. */
  private static RuntimeException refused(String name, KubernetesClientException e) {
    if (e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
      return new WrongFileException(
          "The cluster does not know ProxyDataplanes, so the file cannot be checked: install"
              + " Pointsman's chart, or its CRDs alone (kubectl apply -f crds/), which changes"
              + " no node");
    }
    return REFUSALS.contains(e.getCode())
        ? new WrongFileException(name + " is refused: " + said(e))
        : e;
  }

  private static String said(KubernetesClientException e) {
    String message = e.getStatus() == null ? null : e.getStatus().getMessage();
    return Objects.requireNonNullElse(message, String.valueOf(e.getMessage()));
  }

  private static String firstLine(RuntimeException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
  }
}
