// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.ProxyDataplane;
import java.net.HttpURLConnection;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Writes the node's status and Events on a thread of its own, so that a slow API server delays
 * nothing. Of several statuses that wait, only the last is written; one that cannot be written is
 * tried again until a newer one takes its place.
 */
final class StatusWriter implements AutoCloseable {
  /** Owns the fields of the status. */
  static final String FIELD_MANAGER = "pointsman-agent";

  private static final Logger LOG = Logger.getLogger(StatusWriter.class);
  private static final String EVENT_NAMESPACE = "default";
  private static final int NOTE_LIMIT = 1_024;
  private static final long RETRY_MILLIS = 1_000;
  private static final long QUIET_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final DateTimeFormatter MICROS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private final KubernetesClient client;
  private final String nodeName;
  private final AtomicReference<@Nullable NodeDataplaneStatus> waiting = new AtomicReference<>();
  private final Map<String, Long> toldAt = new HashMap<>();
  private final ScheduledExecutorService worker =
      Executors.newSingleThreadScheduledExecutor(
          Thread.ofPlatform().daemon().name("status").factory());

  StatusWriter(KubernetesClient client, String nodeName) {
    this.client = client;
    this.nodeName = nodeName;
  }

  /** Writes this status soon. */
  void write(NodeDataplaneStatus status) {
    if (waiting.getAndSet(status) == null) {
      worker.execute(this::writeWaiting);
    }
  }

  private void writeWaiting() {
    NodeDataplaneStatus status = waiting.getAndSet(null);
    if (status == null) {
      return;
    }
    try {
      apply(status);
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_NOT_FOUND) {
        LOG.infof("NodeDataplane %s is gone, its status is not written", nodeName);
        return;
      }
      LOG.warnf("The status of %s is not written yet: %s", nodeName, e.getMessage());
      if (waiting.compareAndSet(null, status)) {
        worker.schedule(this::writeWaiting, RETRY_MILLIS, TimeUnit.MILLISECONDS);
      }
    }
  }

  private void apply(NodeDataplaneStatus status) {
    NodeDataplane fresh = new NodeDataplane();
    fresh.setMetadata(new ObjectMetaBuilder().withName(nodeName).build());
    // The operator owns the spec: what is not sent is not claimed.
    fresh.setSpec(null);
    fresh.setStatus(status);
    client
        .resource(fresh)
        .subresource("status")
        .patch(
            new PatchContext.Builder()
                .withPatchType(PatchType.SERVER_SIDE_APPLY)
                .withFieldManager(FIELD_MANAGER)
                .withForce(true)
                .build());
  }

  /** Writes an Event about the node's dataplane; one that cannot be written is logged. */
  void tell(String type, String reason, String note, @Nullable String uid) {
    worker.execute(
        () -> {
          if (wasToldLately(reason)) {
            return;
          }
          try {
            Event event = event(type, reason, note, uid);
            client.events().v1().events().resource(event).create();
          } catch (KubernetesClientException e) {
            LOG.warnf("Event %s (%s) is not written: %s", reason, note, e.getMessage());
          }
        });
  }

  /** A trouble that stays is told once in a while. */
  private boolean wasToldLately(String reason) {
    long now = System.nanoTime();
    Long before = toldAt.get(reason);
    if (before != null && now - before < QUIET_NANOS) {
      return true;
    }
    toldAt.put(reason, now);
    return false;
  }

  private Event event(String type, String reason, String note, @Nullable String uid) {
    return new EventBuilder()
        .withNewMetadata()
        .withGenerateName(nodeName + "-")
        .withNamespace(EVENT_NAMESPACE)
        .endMetadata()
        .withEventTime(new MicroTime(MICROS.format(Instant.now())))
        .withReportingController(FIELD_MANAGER)
        .withReportingInstance(nodeName)
        .withType(type)
        .withReason(reason)
        .withAction("Verify")
        .withNote(note.length() > NOTE_LIMIT ? note.substring(0, NOTE_LIMIT) : note)
        .withRegarding(
            new ObjectReferenceBuilder()
                .withApiVersion(ProxyDataplane.GROUP + "/" + ProxyDataplane.VERSION)
                .withKind("NodeDataplane")
                .withName(nodeName)
                .withUid(uid)
                .build())
        .build();
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
