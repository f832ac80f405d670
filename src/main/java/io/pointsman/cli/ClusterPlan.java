// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.pointsman.agent.KubeProxyPatience;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.cli.LookPod.LookException;
import io.pointsman.cli.PlanReport.NodeReport;
import io.pointsman.operator.plan.Question;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/** Puts a dry run's questions to the nodes' kernels, some at a time, and leaves nothing behind. */
final class ClusterPlan {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final KubernetesClient client;
  private final LookSettings settings;
  private final Shared<ServiceStream> services;

  ClusterPlan(KubernetesClient client, LookSettings settings) {
    this.client = client;
    this.settings = settings;
    this.services = new Shared<>(() -> ServiceStream.of(client), System::nanoTime);
  }

  /** The answers of all nodes, by name; nodes that nothing is to be asked of are in it too. */
  List<NodeReport> answers(List<Question> questions) {
    Map<String, Question> asked = new LinkedHashMap<>();
    List<NodeReport> reports = new ArrayList<>();
    for (Question question : questions) {
      if (question.spec() == null) {
        reports.add(NodeReport.unasked(question.plan()));
      } else if (!question.ready()) {
        reports.add(NodeReport.notLookedAt(question.plan(), "it is not Ready"));
      } else {
        asked.put(question.plan().name, question);
      }
    }
    if (!asked.isEmpty()) {
      int ports = services.get().on("").portCount();
      LookSettings patient = settings.settling(KubeProxyPatience.window(ports));
      PodSpec agents = AgentPods.of(client);
      try (LookRun run = new LookRun(client, patient)) {
        reports.addAll(
            run.at(
                asked.keySet(),
                node ->
                    look(
                        run,
                        LookJob.asAgent(node, run.label(), patient, agents),
                        Objects.requireNonNull(asked.get(node))),
                (node, why) ->
                    NodeReport.notLookedAt(Objects.requireNonNull(asked.get(node)).plan(), why)));
      }
    }
    reports.sort(Comparator.comparing(report -> report.plan().name));
    return reports;
  }

  private NodeReport look(LookRun run, Job job, Question question) throws InterruptedException {
    String node = question.plan().name;
    NodeDataplaneSpec spec = Objects.requireNonNull(question.spec());
    try {
      LookPod pod = run.start(job);
      // Listed only now: the pod may have taken minutes to start.
      String text =
          pod.ask(
              services.get().input(),
              "pointsman",
              "plan-node",
              "--node=" + node,
              "--spec=" + MAPPER.writeValueAsString(spec));
      NodeDataplaneStatus answer = MAPPER.readValue(lastLine(text), NodeDataplaneStatus.class);
      new KubeProxyLook(
              () -> services.get().on(node),
              new KubeProxyPatience(run.settle(), System::nanoTime),
              TimeUnit.NANOSECONDS::sleep)
          .settle(answer, pod::read);
      return NodeReport.answered(question.plan(), answer);
    } catch (LookException | KubernetesClientException e) {
      return NodeReport.notLookedAt(question.plan(), String.valueOf(e.getMessage()));
    } catch (IOException e) {
      return NodeReport.notLookedAt(question.plan(), LookPod.UNREADABLE);
    }
  }

  /** Warnings of the log may stand before the answer. */
  private static String lastLine(String text) {
    return text.lines().reduce("", (before, line) -> line);
  }
}
