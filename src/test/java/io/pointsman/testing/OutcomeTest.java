// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * No test fails or is skipped in silence: scripts/outcome, which ends {@code make test}, names it.
 */
class OutcomeTest {
  private static final String RUNS = "<testcase name=\"runs\" classname=\"%1$s\" time=\"1\"/>";

  @TempDir private Path folder = Path.of("");

  @BeforeEach
  void sources() throws IOException {
    write("sources/a/FirstTest.java", "class FirstTest {}");
    write("sources/a/SecondTest.java", "class SecondTest {}");
    write("sources/a/BaseTest.java", "abstract class BaseTest {}");
  }

  @Test
  void namesWhatWasSkippedAndWhy() throws IOException {
    report("First", RUNS);
    report("Second", skipped("needsMore", "no &quot;engine&quot; &amp; no socket"));
    assertThat(told()).isEqualTo("not run here: SecondTest.needsMore: no \"engine\" & no socket\n");
  }

  @Test
  void countsTestsOfOneReason() throws IOException {
    report("First", RUNS);
    report("Second", skipped("one", "not here"), skipped("two", "not here"));
    assertThat(told()).isEqualTo("not run here: SecondTest (2 tests): not here\n");
  }

  @Test
  void namesWhatFailed() throws IOException {
    report(
        "First",
        ended(
            "one",
            "<failure message=\"&#10;Expecting 1 &lt; 0\" type=\"a.Error\"><![CDATA[a.Error]]></failure>"));
    report(
        "Second",
        ended("two", "<error message=\"Broken\" type=\"a.Error\"><![CDATA[a.Error]]></error>"));
    assertThat(told())
        .isEqualTo("failed: FirstTest.one:  Expecting 1 < 0\nfailed: SecondTest.two: Broken\n");
  }

  @Test
  void keepsBothEndsOfALongMessage() throws IOException {
    report("First", RUNS);
    String message = "expected" + " ".repeat(2_000) + "the difference";
    report("Second", ended("one", "<failure message=\"" + message + "\" type=\"a.Error\"/>"));
    assertThat(told())
        .startsWith("failed: SecondTest.one: expected ")
        .endsWith(" the difference\n")
        .hasSizeLessThan(700);
  }

  @Test
  void namesClassesWithoutReportAndReportsWithoutTest() throws IOException {
    report("Second");
    assertThat(told())
        .isEqualTo(
            """
            not run here: FirstTest: it has no report
            not run here: SecondTest: its report names no test
            """);
  }

  @Test
  void saysWhenAllWereRun() throws IOException {
    report("First", RUNS);
    report("Second", RUNS);
    assertThat(told()).isEqualTo("every test was run here, and passed\n");
  }

  private static String skipped(String name, String reason) {
    return ended(name, "<skipped message=\"" + reason + "\"/>");
  }

  /** A test that did not simply pass; %1$s becomes its class. */
  private static String ended(String name, String how) {
    return "<testcase name=\""
        + name
        + "\" classname=\"%1$s\" time=\"0\">\n  "
        + how
        + "\n</testcase>";
  }

  private void report(String test, String... cases) throws IOException {
    var text = String.join("\n", cases).formatted("a." + test + "Test");
    write("reports/TEST-a.%sTest.xml".formatted(test), "<testsuite>\n" + text + "\n</testsuite>");
  }

  private void write(String file, String text) throws IOException {
    var path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private String told() throws IOException {
    var process =
        new ProcessBuilder(
                Project.folder().resolve("scripts/outcome").toString(),
                folder.resolve("reports").toString(),
                folder.resolve("sources").toString())
            .redirectErrorStream(true)
            .start();
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}
