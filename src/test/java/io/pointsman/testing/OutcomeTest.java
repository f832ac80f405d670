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
  @TempDir private Path folder = Path.of("");

  @BeforeEach
  void sources() throws IOException {
    write("sources/a/FirstTest.java", "class FirstTest {}");
    write("sources/a/SecondTest.java", "class SecondTest {}");
    write("sources/a/BaseTest.java", "abstract class BaseTest {}");
  }

  @Test
  void namesWhatWasSkippedAndWhy() throws IOException {
    report("First", "<testcase name=\"runs\" classname=\"a.FirstTest\" time=\"1\"/>");
    report(
        "Second",
        """
        <testcase name="needsMore" classname="a.SecondTest" time="0">
          <skipped message="no &quot;engine&quot; &amp; no socket"/>
        </testcase>
        """);
    assertThat(told()).isEqualTo("not run here: SecondTest.needsMore: no \"engine\" & no socket\n");
  }

  @Test
  void countsTestsOfOneReason() throws IOException {
    report("First", "<testcase name=\"runs\" classname=\"a.FirstTest\" time=\"1\"/>");
    report(
        "Second",
        """
        <testcase name="one" classname="a.SecondTest" time="0">
          <skipped message="not here"/>
        </testcase>
        <testcase name="two" classname="a.SecondTest" time="0">
          <skipped message="not here"/>
        </testcase>
        """);
    assertThat(told()).isEqualTo("not run here: SecondTest (2 tests): not here\n");
  }

  @Test
  void namesWhatFailed() throws IOException {
    report(
        "First",
        """
        <testcase name="one" classname="a.FirstTest" time="0">
          <failure message="&#10;Expecting 1 &lt; 0" type="a.Error"><![CDATA[a.Error]]></failure>
        </testcase>
        """);
    report(
        "Second",
        """
        <testcase name="two" classname="a.SecondTest" time="0">
          <error message="Broken" type="a.Error"><![CDATA[a.Error]]></error>
        </testcase>
        """);
    assertThat(told())
        .isEqualTo("failed: FirstTest.one:  Expecting 1 < 0\nfailed: SecondTest.two: Broken\n");
  }

  @Test
  void namesClassesWithoutReportAndReportsWithoutTest() throws IOException {
    report("Second", "");
    assertThat(told())
        .isEqualTo(
            """
            not run here: FirstTest: it has no report
            not run here: SecondTest: its report names no test
            """);
  }

  @Test
  void saysWhenAllWereRun() throws IOException {
    report("First", "<testcase name=\"runs\" classname=\"a.FirstTest\" time=\"1\"/>");
    report("Second", "<testcase name=\"runs\" classname=\"a.SecondTest\" time=\"1\"/>");
    assertThat(told()).isEqualTo("every test was run here, and passed\n");
  }

  private void report(String test, String cases) throws IOException {
    write("reports/TEST-a.%sTest.xml".formatted(test), "<testsuite>\n" + cases + "\n</testsuite>");
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
