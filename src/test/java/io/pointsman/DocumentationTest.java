// SPDX-License-Identifier: Apache-2.0
package io.pointsman;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.testing.Project;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The pages lead somewhere, and know every reason that the product gives. */
class DocumentationTest {
  private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");
  private static final Pattern CODE = Pattern.compile("(?ms)^\\s*```.*?^\\s*```");

  /** A string in CamelCase, alone or in front of a colon. */
  private static final Pattern LITERAL =
      Pattern.compile("\"([A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*)(?:\"|: )");

  /** A meter's name as Micrometer has it. */
  private static final Pattern METRIC = Pattern.compile("\"(pointsman\\.(?!io\")[a-z.]+)\"");

  private static final List<String> SOURCES =
      List.of("agent", "operator", "catalogue", "dataplane", "verify");

  /** Strings that look like a reason and are none: kinds, values and types of Kubernetes, words. */
  private static final Set<String> NO_REASONS =
      Set.of(
          ("Always IfNotPresent Never True False Unknown None Local ClientIP ExternalName IPv4 IPv6"
                  + " Normal Warning Succeeded Node NodeDataplane DaemonSet OnDelete RollingUpdate"
                  + " Ready Available"
                  + " Progressing Degraded KubeProxyDetached Reconciling Stalled Stopped Stopping Synced Somebody"
                  + " Switch Verify Proxy Attach Detach ToBeDeletedByClusterAutoscaler")
              .split(" "));

  @Test
  void everyLinkLeadsSomewhere() {
    var broken = new TreeSet<String>();
    for (Path page : pages()) {
      for (String link : links(page)) {
        if (!link.contains("://") && !resolves(page, link)) {
          broken.add(Project.folder().relativize(page) + ": " + link);
        }
      }
    }
    assertThat(broken).isEmpty();
  }

  @Test
  void everyReasonIsInTheReference() {
    assertThat(reasons()).hasSizeGreaterThan(60).isSubsetOf(named("docs/status.md"));
  }

  @Test
  void everyReasonIsInTroubleshooting() {
    assertThat(reasons()).isSubsetOf(named("docs/troubleshooting.md"));
  }

  /** As Prometheus has them: timers end in seconds, counters in total. */
  @Test
  void everyMetricIsInTheReference() {
    Set<String> metrics =
        Stream.of("agent", "operator", "cli")
            .map(layer -> Project.folder().resolve("src/main/java/io/pointsman").resolve(layer))
            .flatMap(layer -> files(layer, ".java"))
            .flatMap(file -> METRIC.matcher(Project.read(file)).results())
            .map(found -> found.group(1).replace('.', '_'))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> documented =
        Pattern.compile("`(pointsman_[a-z_]+?)(?:_seconds|_total)?[`{]")
            .matcher(Project.read("docs/status.md"))
            .results()
            .map(found -> found.group(1))
            .collect(Collectors.toSet());
    assertThat(documented).containsExactlyInAnyOrderElementsOf(metrics);
  }

  @Test
  void whatIsNoReasonIsStillInTheSources() {
    assertThat(literals()).containsAll(NO_REASONS);
  }

  private static Set<String> reasons() {
    var reasons = literals();
    reasons.removeAll(NO_REASONS);
    return reasons;
  }

  private static Set<String> literals() {
    return SOURCES.stream()
        .map(layer -> Project.folder().resolve("src/main/java/io/pointsman").resolve(layer))
        .flatMap(layer -> files(layer, ".java"))
        .flatMap(file -> LITERAL.matcher(Project.read(file)).results())
        .map(found -> found.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** What a page has in code style. */
  private static Set<String> named(String page) {
    return Pattern.compile("`([A-Za-z0-9]+)`")
        .matcher(Project.read(page))
        .results()
        .map(found -> found.group(1))
        .collect(Collectors.toSet());
  }

  private static List<Path> pages() {
    return Stream.concat(
            Stream.of(Project.folder().resolve("README.md")),
            files(Project.folder().resolve("docs"), ".md"))
        .toList();
  }

  private static List<String> links(Path page) {
    return LINK.matcher(prose(page)).results().map(found -> found.group(1)).toList();
  }

  private static boolean resolves(Path page, String link) {
    var parts = link.split("#", 2);
    var target = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]).normalize();
    return Files.exists(target) && (parts.length == 1 || anchors(target).contains(parts[1]));
  }

  /** The anchors of a page's headings, as GitHub and GitLab name them. */
  private static Set<String> anchors(Path page) {
    return HEADING
        .matcher(prose(page))
        .results()
        .map(DocumentationTest::anchor)
        .collect(Collectors.toSet());
  }

  private static String anchor(MatchResult heading) {
    return heading
        .group(1)
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^\\p{Alnum}\\- _]", "")
        .strip()
        .replace(' ', '-');
  }

  private static String prose(Path page) {
    return CODE.matcher(Project.read(page)).replaceAll("");
  }

  private static Stream<Path> files(Path folder, String end) {
    try (var walk = Files.walk(folder)) {
      return walk.filter(file -> file.toString().endsWith(end)).sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
