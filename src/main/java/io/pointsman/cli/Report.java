// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.utils.Serialization;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.Map;

/** What a command has found, in the forms that people and programs want. */
interface Report {
  void printTable(PrintWriter out);

  /** What JSON and YAML hold, in their order. */
  Map<String, Object> tree();

  default String json() {
    return new JsonObject(tree()).encodePrettily();
  }

  default String yaml() {
    return Serialization.asYaml(tree());
  }

  default void print(PrintWriter out, OutputOption.Format format) {
    switch (format) {
      case table -> printTable(out);
      case json -> out.println(json());
      case yaml -> out.print(yaml());
    }
    out.flush();
  }
}
