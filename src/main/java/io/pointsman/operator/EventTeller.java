// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.operator.plan.Names;
import io.pointsman.operator.plan.Notice;
import java.time.Clock;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import org.jboss.logging.Logger;

/** Tells transitions as Events of the ProxyDataplane. */
final class EventTeller {
  private static final Logger LOG = Logger.getLogger(EventTeller.class);

  /** Where Events of cluster-scoped objects live. */
  private static final String NAMESPACE = "default";

  /** The API server's limit of an Event's note. */
  private static final int LONGEST = 1024;

  private static final DateTimeFormatter MICROS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  private final KubernetesClient client;
  private final String identity;
  private final Clock clock;

  EventTeller(KubernetesClient client, String identity, Clock clock) {
    this.client = client;
    this.identity = identity;
    this.clock = clock;
  }

  /** An Event that cannot be written is logged and never stops the rollout. */
  void tell(ProxyDataplane dataplane, List<Notice> notices) {
    for (Notice notice : notices) {
      try {
        write(dataplane, notice);
      } catch (KubernetesClientException e) {
        LOG.warnf("cannot write Event %s: %s", notice, e.getMessage());
      }
    }
  }

  private void write(ProxyDataplane dataplane, Notice notice) {
    String note = notice.note();
    client
        .events()
        .v1()
        .events()
        .inNamespace(NAMESPACE)
        .resource(
            new EventBuilder()
                .withNewMetadata()
                .withGenerateName(dataplane.getMetadata().getName() + "-")
                .withNamespace(NAMESPACE)
                .endMetadata()
                .withEventTime(new MicroTime(MICROS.format(clock.instant())))
                .withReportingController(Names.FIELD_MANAGER)
                .withReportingInstance(identity)
                .withType(notice.warning() ? "Warning" : "Normal")
                .withReason(notice.reason())
                .withAction("Switch")
                .withNote(note.substring(0, Math.min(note.length(), LONGEST)))
                .withRegarding(
                    new ObjectReferenceBuilder()
                        .withApiVersion(dataplane.getApiVersion())
                        .withKind(dataplane.getKind())
                        .withName(dataplane.getMetadata().getName())
                        .withUid(dataplane.getMetadata().getUid())
                        .build())
                .build())
        .create();
  }
}
