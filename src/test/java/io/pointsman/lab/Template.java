// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The files under src/test/resources/lab, with ${words} replaced. */
final class Template {
  private static final Pattern WORD = Pattern.compile("\\$\\{(\\w+)}");

  private Template() {}

  /** The file as it is. */
  static String raw(String name) {
    try (InputStream stream = Template.class.getResourceAsStream("/lab/" + name)) {
      if (stream == null) {
        throw new LabException("resource lab/" + name + " is missing: build the project again");
      }
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The file with every ${word} replaced by its value; a word without one is an error. */
  static String render(String name, Map<String, String> values) {
    return WORD.matcher(raw(name))
        .replaceAll(
            match -> {
              var value = values.get(match.group(1));
              if (value == null) {
                throw new LabException("lab/" + name + ": no value for " + match.group());
              }
              return Matcher.quoteReplacement(value);
            });
  }
}
