// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.FieldValidateable.Validation;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.pointsman.api.ProxyDataplane;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * The ProxyDataplane of a file as the API server would store it. The server is asked by a request
 * that it checks whole, defaults and rules included, and does not carry out.
 */
final class PlanFile {
  private static final String STDIN = "-";
  private static final String API_VERSION = ProxyDataplane.GROUP + "/" + ProxyDataplane.VERSION;
  private static final int NOT_FOUND = 404;

  /** What the server answers to a resource that is wrong in itself. */
  private static final Set<Integer> REFUSALS = Set.of(400, 409, 422, 500);

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
    Object parsed;
    try (InputStream in = STDIN.equals(file) ? System.in : Files.newInputStream(Path.of(file))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      parsed = Serialization.unmarshal(text);
    } catch (IOException e) {
      throw new WrongFileException(file + " cannot be read: name a YAML or JSON file");
    } catch (RuntimeException e) {
      throw new WrongFileException(file + " is no resource in YAML or JSON: " + firstLine(e));
    }
    List<?> all = parsed instanceof List<?> list ? list : List.of(parsed);
    Object only = all.size() == 1 ? all.getFirst() : null;
    GenericKubernetesResource resource =
        only == null ? null : LENIENT.convertValue(only, GenericKubernetesResource.class);
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

  /**
   * The resource as it would be stored in place of the one of its name; nothing is stored.
   *
   * @throws WrongFileException when the server refuses it, in the server's words
   * @throws KubernetesClientException when the server cannot be asked
   */
  static ProxyDataplane checked(KubernetesClient client, GenericKubernetesResource wanted) {
    String name = wanted.getMetadata().getName();
    GenericKubernetesResource answer;
    try {
      GenericKubernetesResource live = client.genericKubernetesResources(KIND).withName(name).get();
      if (live != null) {
        wanted.setMetadata(live.getMetadata());
      }
      Resource<GenericKubernetesResource> asked =
          client.genericKubernetesResources(KIND).resource(wanted);
      answer =
          live == null
              ? asked.dryRun().fieldValidation(Validation.STRICT).create()
              : asked.dryRun().fieldValidation(Validation.STRICT).update();
    } catch (KubernetesClientException e) {
      if (e.getCode() == NOT_FOUND) {
        throw new WrongFileException(
            "The cluster does not know ProxyDataplanes, so the file cannot be checked: install"
                + " Pointsman's chart, or its CRDs alone (kubectl apply -f crds/), which changes"
                + " no node");
      }
      if (REFUSALS.contains(e.getCode())) {
        throw new WrongFileException(name + " is refused: " + said(e));
      }
      throw e;
    }
    return LENIENT.convertValue(answer, ProxyDataplane.class);
  }

  private static String said(KubernetesClientException e) {
    String message = e.getStatus() == null ? null : e.getStatus().getMessage();
    return Objects.requireNonNullElse(message, String.valueOf(e.getMessage()));
  }

  private static String firstLine(RuntimeException e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
  }
}
