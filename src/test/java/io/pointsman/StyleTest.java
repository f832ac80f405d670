// SPDX-License-Identifier: Apache-2.0
package io.pointsman;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the formatter and the compiler do not look at. */
class StyleTest {
  private static final String JAVA_LICENSE = "// SPDX-License-Identifier: Apache-2.0";
  private static final String BPF_LICENSE =
      "SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later";
  private static final Path MAIN = Path.of("src/main/java");
  private static final Path TEST = Path.of("src/test/java");

  private static List<SourceRules.Finding> findings = List.of();

  @BeforeAll
  static void readSources() {
    findings =
        SourceRules.check(Stream.concat(javaIn(MAIN).stream(), javaIn(TEST).stream()).toList());
  }

  @Test
  void classesHaveAtMost300Lines() {
    assertThat(of(SourceRules.Rule.LONG_CLASS)).isEmpty();
  }

  @Test
  void methodsHaveAtMost40Lines() {
    assertThat(of(SourceRules.Rule.LONG_METHOD)).isEmpty();
  }

  @Test
  void switchesOverOurEnumsNameEveryConstant() {
    assertThat(of(SourceRules.Rule.DEFAULT_OVER_ENUM)).isEmpty();
  }

  @Test
  void publicTypesAndMethodsSayWhatTheyAre() {
    assertThat(of(SourceRules.Rule.NO_JAVADOC)).isEmpty();
  }

  @Test
  void javaSourcesNameTheirLicense() {
    assertThat(without(List.of(MAIN, TEST), ".java", text -> text.startsWith(JAVA_LICENSE)))
        .isEmpty();
  }

  @Test
  void bpfSourcesNameBothLicenses() {
    Predicate<String> licensed =
        text -> text.lines().limit(2).anyMatch(l -> l.contains(BPF_LICENSE));
    assertThat(without(List.of(Path.of("bpf")), ".h", licensed)).isEmpty();
    assertThat(without(List.of(Path.of("bpf")), ".c", licensed)).isEmpty();
  }

  @Test
  void everyPackageIsNullMarked() {
    Set<Path> open = new TreeSet<>();
    packages(MAIN).forEach(folder -> addUnmarked(open, MAIN, folder));
    // A package of both trees is marked once, in src/main.
    packages(TEST)
        .filter(folder -> !Files.isDirectory(MAIN.resolve(folder)))
        .forEach(folder -> addUnmarked(open, TEST, folder));
    assertThat(open).isEmpty();
  }

  private static void addUnmarked(Set<Path> open, Path tree, Path folder) {
    Path info = tree.resolve(folder).resolve("package-info.java");
    if (!Files.exists(info) || !text(info).contains("@NullMarked")) {
      open.add(info);
    }
  }

  private static Stream<Path> packages(Path tree) {
    return javaIn(tree).stream().map(file -> tree.relativize(file.getParent())).distinct();
  }

  private static List<String> of(SourceRules.Rule rule) {
    return findings.stream().filter(f -> f.rule() == rule).map(SourceRules.Finding::text).toList();
  }

  private static List<Path> without(List<Path> trees, String end, Predicate<String> rule) {
    return trees.stream()
        .flatMap(tree -> files(tree, end).stream())
        .filter(file -> !rule.test(text(file)))
        .toList();
  }

  private static List<Path> javaIn(Path tree) {
    return files(tree, ".java");
  }

  private static List<Path> files(Path tree, String end) {
    try (Stream<Path> walk = Files.walk(tree)) {
      return walk.filter(file -> file.toString().endsWith(end)).sorted().toList();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }
}
