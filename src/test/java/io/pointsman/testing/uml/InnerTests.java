// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;

/**
 * Test classes that run inside User-Mode Linux, by the JVM and the classes of this one. What they
 * print appears as it comes, and each of their tests becomes a test here.
 */
public final class InnerTests implements UserModeLinux.Watcher {
  /** One CPU on which every system call is dear: no compiling for long, no collector threads. */
  private static final List<String> FLAGS =
      List.of(
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:-UsePerfData",
          "-Xmx768m",
          "--enable-native-access=ALL-UNNAMED");

  private final Map<String, InnerEvent> events = new LinkedHashMap<>();
  private final Map<String, Long> read = new LinkedHashMap<>();
  private final StringBuilder partial = new StringBuilder();
  private @Nullable String broken;
  private boolean ended;

  private InnerTests() {}

  /** Runs classes in a machine; the result has a test for each of theirs, and one for the run. */
  public static List<DynamicTest> run(UserModeLinux machine, Class<?>... classes) {
    return run(machine, Duration.ofMinutes(5), classes);
  }

  /** The same, each test taking that long at most. */
  public static List<DynamicTest> run(UserModeLinux machine, Duration each, Class<?>... classes) {
    InnerTests tests = new InnerTests();
    try {
      int code = machine.run(command(each, classes), tests);
      tests.broken = code == 0 ? null : "The JVM inside ended with " + code + ".";
    } catch (IllegalStateException e) {
      tests.broken = e.getMessage();
    }
    return tests.results();
  }

  private static String command(Duration each, Class<?>... classes) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(FLAGS);
    System.getProperties().stringPropertyNames().stream()
        .filter(name -> name.startsWith("pointsman."))
        .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
    command.add("-Djunit.jupiter.execution.timeout.default=" + each.toSeconds() + " s");
    command.add("-Djava.util.logging.manager=org.jboss.logmanager.LogManager");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(InnerRunner.class.getName());
    command.add(UserModeLinux.OUTSIDE + "/events");
    Arrays.stream(classes).map(Class::getName).forEach(command::add);
    String quoted = command.stream().map(UserModeLinux::quote).collect(Collectors.joining(" "));
    return quoted + " >" + UserModeLinux.OUTSIDE + "/output 2>&1";
  }

  @Override
  public void look(Path folder) {
    String output = rest(folder.resolve("output"));
    if (!output.isEmpty()) {
      System.out.print(output);
      System.out.flush();
    }
    partial.append(rest(folder.resolve("events")));
    int end = partial.lastIndexOf("\n");
    if (end >= 0) {
      partial.substring(0, end).lines().map(InnerEvent::parse).forEach(this::accept);
      partial.delete(0, end + 1);
    }
  }

  private void accept(InnerEvent event) {
    if (event.kind() == InnerEvent.Kind.END) {
      ended = true;
    } else {
      events.put(event.id(), event);
      System.out.println("[uml] " + event.kind() + " " + event.name());
    }
  }

  /** What has come to a file since it was looked at last. */
  private String rest(Path file) {
    if (!Files.exists(file)) {
      return "";
    }
    try {
      byte[] all = Files.readAllBytes(file);
      int from = read.merge(file.toString(), 0L, Long::sum).intValue();
      read.put(file.toString(), (long) all.length);
      return new String(all, from, all.length - from, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private List<DynamicTest> results() {
    List<DynamicTest> results = new ArrayList<>();
    for (InnerEvent event : events.values()) {
      results.add(dynamicTest(event.name(), () -> judge(event)));
    }
    results.add(
        dynamicTest(
            "User-Mode Linux ran all of it",
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
      case STARTED -> throw new AssertionError("did not come to its end");
      case END -> throw new IllegalStateException("the end is no test");
    }
  }
}
