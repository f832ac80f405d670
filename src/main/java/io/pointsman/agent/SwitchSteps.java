// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.PlannedWrites;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the agent would do in a switch, in order and in words (ADR 5 has the order). */
final class SwitchSteps {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final SwitchQuestion question;
  private final String from;

  SwitchSteps(SwitchQuestion question, String from) {
    this.question = question;
    this.from = from;
  }

  /** A dataplane as users write it. */
  static String name(LinuxDataplane kind) {
    return MAPPER.convertValue(kind, String.class);
  }

  /**
   * The steps.
   *
   * @param writes null when it is not known
   * @param left entries of kube-proxy's that go, negative when it is not known
   * @param others what other dataplanes of Pointsman have in the kernel, where it is known
   */
  List<String> words(
      @Nullable PlannedWrites writes, long left, Map<LinuxDataplane, Optional<Holdings>> others) {
    List<String> steps = new ArrayList<>();
    String to = name(question.to());
    boolean first = question.attached() && Handover.sharesChains(question.to());
    if (first) {
      steps.add("Wait until kube-proxy has left the node; its rules serve on.");
    }
    steps.add(
        (first ? "Take its chains over: write " : "Write ")
            + (writes == null ? "entries" : count(writes.written(), "entry", "entries"))
            + " for "
            + count(question.desired().ports().size(), "Service port", "Service ports")
            + (writes == null || writes.deleted() == 0
                ? "."
                : " and remove " + writes.deleted() + " that are in the way."));
    steps.add("Read them back and compare them with the cluster's Services.");
    steps.add(
        "Take new connections by "
            + to
            + (first ? "." : "; established ones stay with " + from + "."));
    if (question.probe() != null) {
      steps.add("Probe Service " + question.probe() + ".");
    }
    if (question.attached() && !first) {
      steps.add("Wait until kube-proxy has left the node.");
    }
    others.forEach((kind, held) -> steps.add(retire(kind, held)));
    if (left != 0) {
      steps.add(
          "Remove what kube-proxy left"
              + (left < 0 ? "." : ": " + count(left, "entry", "entries") + "."));
    }
    steps.add("Read that nothing of the dataplane before is left.");
    return steps;
  }

  private String retire(LinuxDataplane kind, Optional<Holdings> held) {
    return "Give "
        + held.map(it -> count(it.flows(), "flow", "flows")).orElse("the flows")
        + " of "
        + name(kind)
        + " up to "
        + count(question.drainSeconds(), "second", "seconds")
        + " to end, then remove its "
        + held.map(it -> count(it.entries(), "entry", "entries")).orElse("entries")
        + ".";
  }

  private static String count(long number, String one, String more) {
    return number + " " + (number == 1 ? one : more);
  }
}
