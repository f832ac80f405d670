// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pointsman.testing.Yaml;

/** A CRD as a template of the chart, where Helm upgrades it and can keep it. */
final class ChartCrd {
  static final String HEAD =
      """
      # SPDX-License-Identifier: Apache-2.0
      # Written by scripts/generate from the Java types; never edited.
      """;

  private static final String METADATA =
      """
        labels:
          {{- include "pointsman.labels" . | nindent 4 }}
        {{- if .Values.crds.keep }}
        annotations:
          helm.sh/resource-policy: keep
        {{- end }}
      """;

  private ChartCrd() {}

  static String template(ObjectNode crd) {
    String yaml = Yaml.text(crd);
    if (yaml.contains("{{")) {
      throw new IllegalStateException("a description holds {{, which Helm would take as its own");
    }
    String name = "  name: " + crd.at("/metadata/name").asText() + "\n";
    return HEAD
        + "{{- if .Values.crds.enabled }}\n"
        + yaml.replaceFirst(name, name + METADATA)
        + "{{- end }}\n";
  }
}
