// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.ContainerStateWaiting;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Event;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.ExecWatch;
import io.fabric8.kubernetes.client.dsl.PodResource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** A pod on one node that its kernel is read in, as often as it is asked for. */
final class LookPod {
  /** Why an answer is of no use. */
  static final String UNREADABLE = "its answer was cut off or is of another version of Pointsman";

  private static final long POLL_MILLIS = 500;

  /** Exit code of what a SIGKILL has ended. */
  private static final int KILLED = 137;

  /** With these a container does not start however long one waits. */
  private static final Set<String> HOPELESS =
      Set.of(
          "ErrImageNeverPull",
          "ImagePullBackOff",
          "InvalidImageName",
          "CreateContainerConfigError",
          "CreateContainerError",
          "RunContainerError");

  private final KubernetesClient client;
  private final LookSettings settings;
  private final String job;
  private String pod = "";

  private LookPod(KubernetesClient client, LookSettings settings, String job) {
    this.client = client;
    this.settings = settings;
    this.job = job;
  }

  /** A node could not be looked at; the message says why. */
  static final class LookException extends Exception {
    LookException(String message) {
      super(message);
    }
  }

  /** Starts it and waits until it runs. */
  static LookPod start(KubernetesClient client, LookSettings settings, Job job)
      throws LookException, InterruptedException {
    Job made = client.resource(job).create();
    LookPod look = new LookPod(client, settings, made.getMetadata().getName());
    look.awaitRunning();
    return look;
  }

  private void awaitRunning() throws LookException, InterruptedException {
    long deadline = System.nanoTime() + settings.timeout().toNanos();
    while (true) {
      Pod found =
          client
              .pods()
              .inNamespace(settings.namespace())
              .withLabel("batch.kubernetes.io/job-name", job)
              .list()
              .getItems()
              .stream()
              .findFirst()
              .orElse(null);
      if (found != null && isRunning(found)) {
        pod = found.getMetadata().getName();
        return;
      }
      if (System.nanoTime() - deadline >= 0) {
        String why = found == null ? lastEvent() : found.getStatus().getPhase();
        throw new LookException(
            "its pod did not start in " + settings.timeout().toSeconds() + " seconds: " + why);
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  private static boolean isRunning(Pod pod) throws LookException {
    if ("Failed".equals(pod.getStatus().getPhase())) {
      String message = pod.getStatus().getMessage();
      throw new LookException(
          "its pod failed: " + (message == null ? pod.getStatus().getReason() : message));
    }
    for (ContainerStatus status : pod.getStatus().getContainerStatuses()) {
      ContainerStateWaiting waiting = status.getState().getWaiting();
      if (waiting != null && HOPELESS.contains(waiting.getReason())) {
        throw new LookException(
            "the image "
                + status.getImage()
                + " does not start there ("
                + waiting.getReason()
                + "): "
                + waiting.getMessage());
      }
      if (status.getState().getRunning() != null) {
        return true;
      }
    }
    return false;
  }

  /** What was last said of the job: why it may not make its pod. */
  private String lastEvent() {
    List<Event> events;
    try {
      events =
          client
              .v1()
              .events()
              .inNamespace(settings.namespace())
              .withField("involvedObject.name", job)
              .list()
              .getItems();
    } catch (KubernetesClientException e) {
      return "nothing made it, and its Events, which would say why, could not be read: "
          + ClusterOptions.reason(e);
    }
    return events.stream()
        .max(Comparator.comparing(each -> each.getMetadata().getCreationTimestamp()))
        .map(Event::getMessage)
        .orElse("nothing made it");
  }

  /** What kube-proxy has in the node's kernel now. */
  List<KubeProxyState> read() throws LookException, InterruptedException {
    String text = ask(null, "pointsman", "rules", "--output=json");
    try {
      return KubeProxyJson.read(text);
    } catch (IOException e) {
      throw new LookException(UNREADABLE);
    }
  }

  /** What a command that is run in the pod prints; it must end well. */
  String ask(@Nullable InputStream in, String... command)
      throws LookException, InterruptedException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Integer exit = execute(in, out, err, command);
    if (exit == null || exit != 0) {
      throw new LookException(failure(exit, err.toString(StandardCharsets.UTF_8).strip()));
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  /** Why a command has not read the kernel, by its exit code and what it has said. */
  static String failure(@Nullable Integer exit, String said) {
    List<String> parts = new ArrayList<>(List.of("its kernel could not be read"));
    if (exit == null) {
      parts.add("the connection to its pod ended first");
    } else if (exit == KILLED) {
      parts.add("the command was killed, most likely because there was no memory left for it");
    } else if (said.isEmpty()) {
      parts.add("the command ended with exit code " + exit);
    }
    if (!said.isEmpty()) {
      parts.add(said);
    }
    return String.join(": ", parts);
  }

  private @Nullable Integer execute(
      @Nullable InputStream in,
      ByteArrayOutputStream out,
      ByteArrayOutputStream err,
      String... command)
      throws LookException, InterruptedException {
    PodResource entered = client.pods().inNamespace(settings.namespace()).withName(pod);
    try (ExecWatch execution =
        (in == null ? entered : entered.readingInput(in))
            .writingOutput(out)
            .writingError(err)
            .exec(command)) {
      return execution.exitCode().get(settings.timeout().toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new LookException("its pod could not be entered: " + e.getCause());
    } catch (TimeoutException e) {
      throw new LookException(
          "its kernel was not read in " + settings.timeout().toSeconds() + " seconds");
    }
  }
}
