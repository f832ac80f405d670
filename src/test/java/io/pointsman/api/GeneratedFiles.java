// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pointsman.testing.Project;
import io.pointsman.testing.Yaml;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The files of the project that come from the Java types, by way of the CRD generator's plugin. */
public final class GeneratedFiles {
  private static final List<Class<?>> TYPES = List.of(ProxyDataplane.class, NodeDataplane.class);

  private GeneratedFiles() {}

  /** Writes the files, or with {@code --check} ends with 1 and names those that differ. */
  public static void main(String[] arguments) {
    if (List.of(arguments).contains("--check")) {
      List<String> different = different();
      if (!different.isEmpty()) {
        System.err.println(
            "not as the Java types say: %s; run scripts/generate and commit what it writes"
                .formatted(String.join(", ", different)));
        System.exit(1);
      }
      return;
    }
    contents().forEach(GeneratedFiles::write);
  }

  /** The files that are not as they would be generated now, by their paths in the project. */
  static List<String> different() {
    List<String> paths = new ArrayList<>();
    contents()
        .forEach(
            (path, content) -> {
              Path file = Project.folder().resolve(path);
              if (!Files.exists(file) || !Project.read(file).equals(content)) {
                paths.add(path);
              }
            });
    return paths;
  }

  /** What the files have to hold, by their paths in the project. */
  static Map<String, String> contents() {
    Map<String, String> contents = new LinkedHashMap<>();
    List<ObjectNode> crds = new ArrayList<>();
    for (Class<?> type : TYPES) {
      ObjectNode crd = crd(type);
      crds.add(crd);
      String name = crd.at("/metadata/name").asText();
      contents.put("crds/" + name + ".yaml", ChartCrd.HEAD + Yaml.text(crd));
      contents.put("helm/pointsman/templates/crd-" + plural(crd) + ".yaml", ChartCrd.template(crd));
    }
    contents.put("docs/reference-api.md", ApiReference.of(crds));
    return contents;
  }

  private static String plural(ObjectNode crd) {
    return crd.at("/spec/names/plural").asText();
  }

  private static ObjectNode crd(Class<?> type) {
    String plural = type.getAnnotation(io.fabric8.kubernetes.model.annotation.Plural.class).value();
    String file = "target/crds/%s.%s-v1.yml".formatted(plural, ProxyDataplane.GROUP);
    ObjectNode crd = Yaml.object(Project.read(file));
    CrdFinish.finish(crd, type);
    return crd;
  }

  private static void write(String path, String content) {
    Path file = Project.folder().resolve(path);
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(file, content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
