// SPDX-License-Identifier: Apache-2.0
package io.pointsman.helm;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * One thing that an account may do.
 *
 * @param account the service account
 * @param in the namespace, or "cluster"
 * @param group the API group, "" for the core
 * @param resource the resource or subresource
 * @param only the objects' names, empty for all
 * @param verb the verb
 */
record Right(
    String account, String in, String group, String resource, List<String> only, String verb) {

  /** The rights of one row of the table. */
  static Stream<Right> ofRow(JsonNode row) {
    return strings(row.get("verbs")).stream()
        .map(
            verb ->
                new Right(
                    row.get("account").asText(),
                    row.get("in").asText(),
                    row.get("group").asText(),
                    row.get("resource").asText(),
                    strings(row.path("only")),
                    verb));
  }

  /** The rights that manifests give, by their bindings. */
  static Stream<Right> ofManifests(List<JsonNode> manifests) {
    return manifests.stream()
        .filter(it -> it.get("kind").asText().endsWith("RoleBinding"))
        .flatMap(binding -> ofBinding(binding, manifests));
  }

  private static Stream<Right> ofBinding(JsonNode binding, List<JsonNode> manifests) {
    JsonNode role = role(binding, manifests);
    String in =
        binding.get("kind").asText().equals("ClusterRoleBinding")
            ? "cluster"
            : binding.at("/metadata/namespace").asText();
    return binding
        .get("subjects")
        .valueStream()
        .flatMap(
            subject ->
                role.get("rules")
                    .valueStream()
                    .flatMap(rule -> ofRule(subject.get("name").asText(), in, rule)));
  }

  private static JsonNode role(JsonNode binding, List<JsonNode> manifests) {
    JsonNode reference = binding.get("roleRef");
    return manifests.stream()
        .filter(it -> it.get("kind").equals(reference.get("kind")))
        .filter(it -> it.at("/metadata/name").equals(reference.get("name")))
        .filter(it -> it.at("/metadata/namespace").equals(binding.at("/metadata/namespace")))
        .findAny()
        .orElseThrow(() -> new AssertionError("no role for " + binding));
  }

  private static Stream<Right> ofRule(String account, String in, JsonNode rule) {
    List<Right> rights = new ArrayList<>();
    for (String group : strings(rule.get("apiGroups"))) {
      for (String resource : strings(rule.get("resources"))) {
        for (String verb : strings(rule.get("verbs"))) {
          List<String> only = strings(rule.path("resourceNames"));
          rights.add(new Right(account, in, group, resource, only, verb));
        }
      }
    }
    return rights.stream();
  }

  private static List<String> strings(JsonNode array) {
    return array.valueStream().map(JsonNode::asText).toList();
  }
}
