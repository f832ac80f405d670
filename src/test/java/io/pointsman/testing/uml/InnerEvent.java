// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * What became of a test inside the machine; a line of the file between the two sides.
 *
 * @param id unique
 * @param name for a person: class and test
 * @param text the stack trace of a failure
 */
record InnerEvent(Kind kind, String id, String name, String text) {
  enum Kind {
    STARTED,
    PASSED,
    FAILED,
    END
  }

  String line() {
    return kind + "\t" + encode(id) + "\t" + encode(name) + "\t" + encode(text);
  }

  static InnerEvent parse(String line) {
    String[] parts = line.split("\t", -1);
    return new InnerEvent(
        Kind.valueOf(parts[0]), decode(parts[1]), decode(parts[2]), decode(parts[3]));
  }

  private static String encode(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static String decode(String text) {
    return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
  }
}
