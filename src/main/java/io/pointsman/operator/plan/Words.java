// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;

/** Puts things into words as users write them. */
final class Words {
  private static final int NAMED = 5;

  private Words() {}

  /** An enum constant as it stands in YAML. */
  static String of(Enum<?> constant) {
    try {
      JsonProperty name =
          constant.getDeclaringClass().getField(constant.name()).getAnnotation(JsonProperty.class);
      return name == null ? constant.name() : name.value();
    } catch (NoSuchFieldException e) {
      throw new IllegalStateException("every enum constant is a public field", e);
    }
  }

  /** Up to five names and how many more there are. */
  static String list(List<String> names) {
    if (names.size() <= NAMED) {
      return String.join(", ", names);
    }
    return String.join(", ", names.subList(0, NAMED)) + " and " + (names.size() - NAMED) + " more";
  }

  /** "1 node", "3 nodes". */
  static String nodes(int count) {
    return count == 1 ? "1 node" : count + " nodes";
  }
}
