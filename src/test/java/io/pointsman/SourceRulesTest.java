// SPDX-License-Identifier: Apache-2.0
package io.pointsman;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.SourceRules.Finding;
import io.pointsman.SourceRules.Rule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rules find what they are meant to find. */
class SourceRulesTest {
  @TempDir private Path folder = Path.of("");

  private List<Rule> broken(String source) throws IOException {
    Path file = Files.writeString(folder.resolve("Sample.java"), source);
    return SourceRules.check(List.of(file)).stream().map(Finding::rule).toList();
  }

  @Test
  void aLongClassIsFound() throws IOException {
    assertThat(broken("class Sample {" + "\n".repeat(300) + "}")).containsExactly(Rule.LONG_CLASS);
    assertThat(broken("class Sample {" + "\n".repeat(299) + "}")).isEmpty();
  }

  @Test
  void aLongMethodIsFoundUnlessItIsATable() throws IOException {
    assertThat(broken("class Sample { int a() { int b = 1;" + "\n".repeat(40) + "return b; } }"))
        .containsExactly(Rule.LONG_METHOD);
    assertThat(broken("class Sample { int a() { " + "\n".repeat(40) + "return 1; } }")).isEmpty();
  }

  @Test
  void aDefaultOverAnEnumOfOursIsFound() throws IOException {
    String source =
        """
        package io.pointsman;
        class Sample {
          enum Own { A, B }
          int of(Own own) { return switch (own) { case A -> 1; default -> 2; }; }
          void on(Own own) { switch (own) { case A: break; default: break; } }
          int of(int number) { return switch (number) { case 1 -> 1; default -> 2; }; }
          int all(Own own) { return switch (own) { case A -> 1; case B -> 2; }; }
        }
        """;
    assertThat(broken(source)).containsExactly(Rule.DEFAULT_OVER_ENUM, Rule.DEFAULT_OVER_ENUM);
  }

  @Test
  void publicThingsWithoutJavadocAreFound() throws IOException {
    String source =
        """
        public class Sample {
          public Sample() {}
          public int silent() { return 1; }
          /** Says what it is. */
          public int told() { return 1; }
          @Override public String toString() { return ""; }
        }
        """;
    assertThat(broken(source)).containsExactly(Rule.NO_JAVADOC, Rule.NO_JAVADOC);
  }
}
