// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.api.SwitchPlan;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Plays the DaemonSet controller, the garbage collector, the kubelets and the agents. */
final class Players implements AutoCloseable {
  private final KubernetesClient admin;
  private final CatalogueWatch catalogue;
  private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor();

  /** Nodes whose agents fail this step, as "n1/ACTIVATE", or for one dataplane, "n1/BPF/CLEAN". */
  final Set<String> failing = ConcurrentHashMap.newKeySet();

  /** Nodes whose agents and kubelets are away. */
  final Set<String> away = ConcurrentHashMap.newKeySet();

  /**
   * Steps that agents report as begun and no more, each as "n1/DRAIN"; "kube-proxy/n1" is n1's pod.
   */
  final Set<String> holding = ConcurrentHashMap.newKeySet();

  Players(KubernetesClient admin) {
    this.admin = admin;
    this.catalogue = new CatalogueWatch(admin, java.time.Clock.systemUTC());
    catalogue.start();
    var unused = executor.scheduleWithFixedDelay(this::play, 0, 50, TimeUnit.MILLISECONDS);
  }

  /** From now on everybody does as told again. */
  void rest() {
    failing.clear();
    away.clear();
    holding.clear();
  }

  @Override
  public void close() {
    executor.shutdownNow();
    catalogue.close();
  }

  private void play() {
    try {
      kubeProxy();
      admin.resources(NodeDataplane.class).list().getItems().forEach(this::agent);
    } catch (KubernetesClientException e) {
      // Somebody was faster, or the stage is being cleared: the next round sees what is there.
    }
  }

  private void kubeProxy() {
    DaemonSet daemonSet =
        admin.apps().daemonSets().inNamespace(Stage.KUBE_SYSTEM).withName(Stage.KUBE_PROXY).get();
    Map<String, Pod> pods = new HashMap<>();
    for (Pod pod : admin.pods().inNamespace(Stage.KUBE_SYSTEM).list().getItems()) {
      if (daemonSet != null && pod.getOwnerReferenceFor(daemonSet).isPresent()) {
        pods.put(pod.getSpec().getNodeName(), pod);
      } else {
        // As the garbage collector does with pods of a DaemonSet that is gone.
        admin.resource(pod).withGracePeriod(0).delete();
      }
    }
    if (daemonSet == null) {
      return;
    }
    observe(daemonSet);
    Map<String, String> selector = Reductions.nodeSelector(daemonSet);
    for (Node node : admin.nodes().list().getItems()) {
      String name = node.getMetadata().getName();
      Pod pod = pods.remove(name);
      boolean wanted = node.getMetadata().getLabels().entrySet().containsAll(selector.entrySet());
      if (away.contains(name) || holding.contains("kube-proxy/" + name)) {
        continue;
      }
      if (wanted && pod == null) {
        start(daemonSet, name);
      } else if (!wanted && pod != null) {
        admin.resource(pod).withGracePeriod(0).delete();
      }
    }
    pods.values().forEach(pod -> admin.resource(pod).withGracePeriod(0).delete());
  }

  private void observe(DaemonSet daemonSet) {
    Long generation = daemonSet.getMetadata().getGeneration();
    if (!Objects.equals(generation, daemonSet.getStatus().getObservedGeneration())) {
      admin
          .resource(daemonSet)
          .editStatus(
              one ->
                  new DaemonSetBuilder(one)
                      .editOrNewStatus()
                      .withCurrentNumberScheduled(0)
                      .withDesiredNumberScheduled(0)
                      .withNumberMisscheduled(0)
                      .withNumberReady(0)
                      .withObservedGeneration(generation)
                      .endStatus()
                      .build());
    }
  }

  private void start(DaemonSet daemonSet, String node) {
    Pod pod =
        admin
            .resource(
                new PodBuilder()
                    .withNewMetadata()
                    .withName("kube-proxy-" + node)
                    .withNamespace(Stage.KUBE_SYSTEM)
                    .addToLabels("k8s-app", "kube-proxy")
                    .addNewOwnerReference()
                    .withApiVersion("apps/v1")
                    .withKind("DaemonSet")
                    .withName(daemonSet.getMetadata().getName())
                    .withUid(daemonSet.getMetadata().getUid())
                    .withController(true)
                    .endOwnerReference()
                    .endMetadata()
                    .withNewSpec()
                    .withNodeName(node)
                    .addNewContainer()
                    .withName("kube-proxy")
                    .withImage("kube-proxy")
                    .endContainer()
                    .endSpec()
                    .build())
            .create();
    admin
        .resource(pod)
        .editStatus(
            one ->
                new PodBuilder(one)
                    .editOrNewStatus()
                    .withPhase("Running")
                    .addNewCondition()
                    .withType("Ready")
                    .withStatus("True")
                    .endCondition()
                    .endStatus()
                    .build());
  }

  private void agent(NodeDataplane node) {
    String name = node.getMetadata().getName();
    if (away.contains(name)) {
      return;
    }
    Step step = Objects.requireNonNull(node.getSpec().step);
    StepResult result = result(name, node.getSpec().linuxDataplane + "/", step);
    NodeDataplaneStatus before = node.getStatus();
    // An agent that has failed at what it was asked says nothing else until it is asked anew.
    boolean told =
        before != null
            && before.step == step
            && (before.result == result || before.result == StepResult.FAILED)
            && Objects.equals(before.attempt, node.getSpec().attempt)
            && Objects.equals(before.observedGeneration, node.getMetadata().getGeneration());
    if (told) {
      return;
    }
    NodeDataplaneStatus status = new NodeDataplaneStatus();
    status.step = step;
    status.result = result;
    status.attempt = node.getSpec().attempt;
    status.observedGeneration = node.getMetadata().getGeneration();
    status.reason = result == StepResult.FAILED ? "ProbeFailed" : "Played";
    status.message = "as the test has it";
    status.proven = result == StepResult.DONE;
    status.catalogueDigest = catalogue.current();
    status.verifiedAt = Instant.now().toString();
    status.preflight = List.of();
    if (step == Step.PREFLIGHT) {
      status.plan = new SwitchPlan();
      status.plan.entriesToWrite = 7L;
      status.plan.steps = List.of("as the test has it");
    }
    node.setStatus(status);
    admin.resource(node).updateStatus();
  }

  private StepResult result(String name, String dataplane, Step step) {
    String key = name + "/" + step;
    if (failing.contains(key) || failing.contains(name + "/" + dataplane + step)) {
      return StepResult.FAILED;
    }
    return holding.contains(key) ? StepResult.IN_PROGRESS : StepResult.DONE;
  }
}
