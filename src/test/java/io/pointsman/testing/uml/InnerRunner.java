// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs test classes inside the machine and writes what becomes of each into a file. */
final class InnerRunner implements TestExecutionListener {
  private final PrintStream events;
  private TestPlan plan = emptyPlan();

  private InnerRunner(PrintStream events) {
    this.events = events;
  }

  /** The first argument is the file for the events, the others are names of classes. */
  public static void main(String[] arguments) throws IOException {
    Path file = Path.of(arguments[0]);
    InnerStacks.answer(Path.of(InnerMachine.OUTSIDE));
    try (PrintStream events =
        new PrintStream(Files.newOutputStream(file), true, StandardCharsets.UTF_8)) {
      LauncherFactory.create()
          .execute(
              request(Arrays.asList(arguments).subList(1, arguments.length)),
              new InnerRunner(events));
      events.println(new InnerEvent(InnerEvent.Kind.END, "", "", "").line());
    }
    // Threads that a failed test left behind must not keep the machine up.
    System.exit(0);
  }

  private static LauncherDiscoveryRequest request(List<String> classes) {
    return LauncherDiscoveryRequestBuilder.request()
        .selectors(classes.stream().map(name -> selectClass(name)).toList())
        .build();
  }

  private static TestPlan emptyPlan() {
    return LauncherFactory.create().discover(LauncherDiscoveryRequestBuilder.request().build());
  }

  @Override
  public void testPlanExecutionStarted(TestPlan started) {
    plan = started;
  }

  @Override
  public void executionStarted(TestIdentifier test) {
    if (test.isTest()) {
      tell(InnerEvent.Kind.STARTED, test, "");
    }
  }

  @Override
  public void executionSkipped(TestIdentifier test, String reason) {
    tell(InnerEvent.Kind.FAILED, test, "skipped: " + reason);
  }

  @Override
  public void executionFinished(TestIdentifier test, TestExecutionResult result) {
    String trace = result.getThrowable().map(InnerRunner::trace).orElse("");
    boolean passed = result.getStatus() == TestExecutionResult.Status.SUCCESSFUL;
    if (test.isTest() || !passed) {
      tell(passed ? InnerEvent.Kind.PASSED : InnerEvent.Kind.FAILED, test, trace);
    }
  }

  private void tell(InnerEvent.Kind kind, TestIdentifier test, String text) {
    List<String> path = new ArrayList<>();
    TestIdentifier at = test;
    while (at.getParentIdObject().isPresent()) {
      path.addFirst(at.getDisplayName());
      at = plan.getParent(at).orElseThrow();
    }
    events.println(new InnerEvent(kind, test.getUniqueId(), String.join(" › ", path), text).line());
  }

  private static String trace(Throwable thrown) {
    StringWriter text = new StringWriter();
    thrown.printStackTrace(new PrintWriter(text));
    return text.toString();
  }
}
