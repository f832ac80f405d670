// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;

/**
 * Test classes that run inside another machine, by the JVM and the classes of this one. What they
 * print appears as it comes, and each of their tests becomes a test here.
 */
public final class InnerTests implements InnerMachine.Watcher {
  private static final int FIRST_LINES = 10;

  private final Map<String, InnerEvent> events = new LinkedHashMap<>();
  private final InnerOutput output = new InnerOutput();
  private final StringBuilder partial = new StringBuilder();
  private final String title;
  private String release = "";
  private @Nullable String broken;
  private boolean ended;

  private InnerTests(String title) {
    this.title = title;
  }

  /**
   * Runs classes in a machine, each test taking that long at most, in a JVM with options of its
   * own; the result has a test for each of theirs, and one for the run.
   */
  public static List<DynamicTest> run(
      InnerMachine machine, Duration each, List<String> options, Class<?>... classes) {
    InnerTests tests = new InnerTests(machine.title());
    try {
      int code = machine.run(command(each, options, classes), tests);
      tests.broken = code == 0 ? null : "The JVM inside ended with " + code + ".";
    } catch (IllegalStateException e) {
      tests.broken = e.getMessage();
    }
    return tests.results();
  }

  private static String command(Duration each, List<String> options, Class<?>... classes) {
    List<String> arguments = new ArrayList<>(List.of(InnerMachine.OUTSIDE + "/events"));
    Arrays.stream(classes).map(Class::getName).forEach(arguments::add);
    List<String> flags = new ArrayList<>(options);
    flags.add("-Djunit.jupiter.execution.timeout.default=" + each.toSeconds() + " s");
    return InnerJvm.command(InnerRunner.class, flags, arguments);
  }

  @Override
  public boolean look(Path folder) {
    boolean printed = output.look(folder);
    release += output.rest(folder.resolve("release")).strip();
    partial.append(output.rest(folder.resolve("events")));
    int end = partial.lastIndexOf("\n");
    if (end >= 0) {
      partial.substring(0, end).lines().map(InnerEvent::parse).forEach(this::accept);
      partial.delete(0, end + 1);
    }
    return printed || end >= 0;
  }

  private void accept(InnerEvent event) {
    if (event.kind() == InnerEvent.Kind.END) {
      ended = true;
    } else {
      events.put(event.id(), event);
      System.out.println("[inside] " + event.kind() + " " + event.name());
      // The others may go on for long.
      event
          .text()
          .lines()
          .limit(FIRST_LINES)
          .forEach(line -> System.out.println("[inside] " + line));
    }
  }

  private List<DynamicTest> results() {
    List<DynamicTest> results = new ArrayList<>();
    for (InnerEvent event : events.values()) {
      results.add(dynamicTest(event.name(), () -> judge(event)));
    }
    results.add(
        dynamicTest(
            title + ", release " + release + ", ran all of it",
            () -> {
              assertThat(broken).isNull();
              assertThat(ended).as("the runner's last word").isTrue();
              assertThat(events).isNotEmpty();
            }));
    return results;
  }

  private static void judge(InnerEvent event) {
    switch (event.kind()) {
      case PASSED -> {}
      case FAILED -> throw new AssertionError(event.text());
      case STARTED -> throw new AssertionError(event.name() + " did not come to its end");
      case END -> throw new IllegalStateException("the end is no test");
    }
  }
}
