// SPDX-License-Identifier: Apache-2.0
package io.pointsman.helm;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.Programs;
import io.pointsman.testing.Project;
import io.pointsman.testing.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** The chart, as Helm sees it. */
final class Chart {
  /** The namespace that tests install into. */
  static final String NAMESPACE = "pointsman-system";

  /** The chart's folder in the project. */
  static final String FOLDER = "helm/pointsman";

  private Chart() {}

  /** Runs {@code helm COMMAND pointsman CHART} with these values of {@code --set}. */
  static Programs.Ended run(String command, String... values) {
    return run(List.of(command, "pointsman", FOLDER, "--namespace", NAMESPACE), values);
  }

  /** Runs a command of helm with these values of {@code --set}. */
  static Programs.Ended run(List<String> command, String... values) {
    List<String> arguments = new ArrayList<>(command);
    Arrays.stream(values).forEach(value -> arguments.addAll(List.of("--set", value)));
    return Programs.run("helm", arguments);
  }

  /** The manifests that the chart renders with these values. */
  static List<JsonNode> render(String... values) {
    return Yaml.documents(text(values)).toList();
  }

  private static String text(String... values) {
    Programs.Ended ended = run("template", values);
    assertThat(ended.exit()).as(ended.err()).isZero();
    return ended.out();
  }

  /** The one manifest of this kind and name. */
  static JsonNode manifest(List<JsonNode> manifests, String kind, String name) {
    return manifests.stream()
        .filter(it -> it.get("kind").asText().equals(kind))
        .filter(it -> it.at("/metadata/name").asText().equals(name))
        .findAny()
        .orElseThrow(() -> new AssertionError("no %s %s was rendered".formatted(kind, name)));
  }

  /** Applies manifests with kubectl, strictly; with {@code --dry-run=server} nothing is kept. */
  static void apply(ApiServer server, Stream<JsonNode> manifests, String... options) {
    try {
      Path file = Files.createTempFile(Project.folder().resolve("target"), "manifests", ".yaml");
      Files.writeString(file, String.join("---\n", manifests.map(Yaml::text).toList()));
      List<String> arguments =
          new ArrayList<>(
              List.of("apply", "--server-side", "--force-conflicts", "--validate=strict"));
      arguments.addAll(List.of("--kubeconfig=" + server.kubeconfig(), "-f", file.toString()));
      arguments.addAll(List.of(options));
      Programs.Ended ended = Programs.run("kubectl", arguments);
      Files.delete(file);
      assertThat(ended.exit()).as(ended.err()).isZero();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The namespace that the chart is installed into, as a manifest. */
  static JsonNode namespace() {
    return Yaml.object(
        "{apiVersion: v1, kind: Namespace, metadata: {name: %s}}".formatted(NAMESPACE));
  }
}
