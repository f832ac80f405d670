// SPDX-License-Identifier: Apache-2.0
package io.pointsman.helm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** values.yaml as text and as a tree. */
final class ValuesFile {
  /** What is the user's own below these is not the chart's. */
  private static final Set<String> FREE = Set.of("resources", "nodeSelector", "labels", "spec");

  private ValuesFile() {}

  /** The keys without a comment of their own, of a neighbour's block, or of their parent. */
  static List<String> undocumented(List<String> lines) {
    List<String> open = new ArrayList<>();
    boolean documented = false;
    int depth = 0;
    for (String line : lines) {
      int indent = line.length() - line.stripLeading().length();
      if (line.isBlank()) {
        documented = false;
      } else if (line.stripLeading().startsWith("#")) {
        documented = true;
        depth = indent;
      } else if (line.matches(" *[A-Za-z]+:.*")) {
        // A key at the top that only holds others is what their comments say.
        boolean section = indent == 0 && line.endsWith(":");
        if (!documented && !section && !line.contains("#")) {
          open.add(line.strip());
        }
        documented &= indent >= depth;
      }
    }
    return open;
  }

  /** The paths of all values of the chart. */
  static Set<String> paths(JsonNode values) {
    Set<String> paths = new TreeSet<>();
    collect(values, "", paths);
    return paths;
  }

  private static void collect(JsonNode values, String path, Set<String> paths) {
    for (var value : values.properties()) {
      String name = path + value.getKey();
      paths.add(name);
      if (!FREE.contains(value.getKey())) {
        collect(value.getValue(), name + ".", paths);
      }
    }
  }

  /** The paths of all values that the schema allows. */
  static Set<String> schemaPaths(JsonNode schema) {
    Set<String> paths = new TreeSet<>();
    collectSchema(schema, schema, "", paths);
    paths.remove("global");
    return paths;
  }

  private static void collectSchema(
      JsonNode root, JsonNode schema, String path, Set<String> paths) {
    for (var property : schema.path("properties").properties()) {
      String name = path + property.getKey();
      paths.add(name);
      JsonNode value = property.getValue();
      if (value.has("$ref")) {
        value = root.at(value.get("$ref").asText().substring(1));
      }
      if (!FREE.contains(property.getKey())) {
        collectSchema(root, value, name + ".", paths);
      }
    }
  }
}
