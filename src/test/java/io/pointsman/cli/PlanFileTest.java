// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.admissionregistration.v1.ValidatingWebhookConfiguration;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.cli.PlanFile.WrongFileException;
import io.pointsman.testing.ApiServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is the file's fault, and what is not. */
class PlanFileTest {
  /** Nobody is there to answer it. */
  private static final String WEBHOOK =
      """
      apiVersion: admissionregistration.k8s.io/v1
      kind: ValidatingWebhookConfiguration
      metadata: {name: away}
      webhooks:
      - name: away.example.com
        admissionReviewVersions: [v1]
        sideEffects: None
        failurePolicy: Fail
        timeoutSeconds: 1
        clientConfig: {url: "https://127.0.0.1:1/"}
        rules:
        - {apiGroups: [pointsman.io], apiVersions: [v1alpha1], operations: ["*"], resources: [proxydataplanes]}
      """;

  @TempDir private Path folder;

  private String file(String text) throws IOException {
    return Files.writeString(folder.resolve("dataplane.yaml"), text).toString();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "# nothing\n",
        "null",
        "---\n---\n",
        "5",
        "text",
        "[]",
        "- a\n- b\n",
        "- {kind: x}\n",
        "{}",
        "kind: [5]\n",
        "kind: ProxyDataplane\napiVersion: pointsman.io/v1alpha1\nmetadata: 5\n",
        "kind: ProxyDataplane\napiVersion: pointsman.io/v1alpha1\nmetadata: {labels: 5}\n"
      })
  void whatIsNoResourceIsSaidSoInOneSentence(String text) throws IOException {
    String file = file(text);
    assertThatThrownBy(() -> PlanFile.read(file))
        .isInstanceOf(WrongFileException.class)
        .hasMessageStartingWith(file)
        .message()
        .hasLineCount(1);
  }

  @Test
  void aResourceThatChangesMeanwhileIsAskedForAgain() throws IOException {
    try (ApiServer server = ApiServer.start();
        KubernetesClient other = server.client()) {
      other.resource(PlanCommandTest.BPF.replace("BPF", "Iptables")).create();
      AtomicInteger changes = new AtomicInteger(2);
      try (KubernetesClient client = slow(other, changes)) {
        ProxyDataplane checked = PlanFile.checked(client, PlanFile.read(file(PlanCommandTest.BPF)));
        assertThat(checked.getSpec().linuxDataplane).isEqualTo(LinuxDataplane.BPF);
        assertThat(changes.get()).isNegative();
        changes.set(1_000);
        assertThatThrownBy(() -> PlanFile.checked(client, PlanFile.read(file(PlanCommandTest.BPF))))
            .isInstanceOf(KubernetesClientException.class)
            .hasMessageContaining("the object has been modified");
      }
    }
  }

  /** A client that is overtaken by another so many times. */
  private static KubernetesClient slow(KubernetesClient other, AtomicInteger changes) {
    Interceptor overtaken =
        new Interceptor() {
          @Override
          public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
            if (request.method().equals("PUT") && changes.getAndDecrement() > 0) {
              other
                  .resources(ProxyDataplane.class)
                  .withName("default")
                  .edit(
                      it -> {
                        it.getMetadata().setAnnotations(Map.of("change", changes.toString()));
                        return it;
                      });
            }
          }
        };
    return new KubernetesClientBuilder()
        .withConfig(other.getConfiguration())
        .withHttpClientBuilderConsumer(http -> http.addOrReplaceInterceptor("slow", overtaken))
        .build();
  }

  @Test
  void aWebhookThatIsAwayIsNotTheFilesFault() throws IOException {
    try (ApiServer server = ApiServer.start();
        KubernetesClient client = server.client()) {
      client
          .resource(Serialization.unmarshal(WEBHOOK, ValidatingWebhookConfiguration.class))
          .create();
      String file = file(PlanCommandTest.BPF);
      await()
          .untilAsserted(
              () ->
                  assertThatThrownBy(() -> PlanFile.checked(client, PlanFile.read(file)))
                      .isInstanceOf(KubernetesClientException.class)
                      .hasMessageContaining("away.example.com"));
    }
  }
}
