// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import io.pointsman.testing.Project;
import io.pointsman.testing.RestClient;
import io.pointsman.testing.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The examples in the documentation are accepted as they stand. */
@OnSharedApiServer
class ExamplesTest {
  private static final Path FOLDER = Project.folder().resolve("docs/examples");

  @TestFactory
  Stream<DynamicTest> apiServerTakesEveryExample() throws IOException {
    return examples().stream()
        .map(
            file ->
                DynamicTest.dynamicTest(file.getFileName().toString(), () -> assertTaken(file)));
  }

  private static void assertTaken(Path file) {
    List<JsonNode> documents = Yaml.documents(Project.read(file)).toList();
    assertThat(documents).isNotEmpty();
    try (var api = RestClient.of(ApiServer.shared())) {
      for (JsonNode document : documents) {
        assertThat(document.get("kind").asText()).isEqualTo("ProxyDataplane");
        api.post(
            "/apis/pointsman.io/v1alpha1/proxydataplanes?dryRun=All&fieldValidation=Strict",
            document);
      }
    }
  }

  @Test
  void theFirstExampleIsThere() throws IOException {
    assertThat(examples()).extracting(it -> it.getFileName().toString()).contains("dataplane.yaml");
  }

  private static List<Path> examples() throws IOException {
    try (var files = Files.list(FOLDER)) {
      return files.filter(it -> it.toString().endsWith(".yaml")).sorted().toList();
    }
  }
}
