// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.pointsman.api.NodeCounts;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ProxyDataplaneStatus;
import io.pointsman.operator.plan.Conditions;
import io.pointsman.operator.plan.Names;
import io.pointsman.operator.plan.Notice;
import io.pointsman.operator.plan.Report;
import io.pointsman.operator.plan.Transitions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Writes a ProxyDataplane's status when it says something else than before. */
final class StatusWriter {
  /** A digest that changes with every endpoint is no reason to write more often than this. */
  private static final Duration DIGEST_INTERVAL = Duration.ofSeconds(60);

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final KubernetesClient client;
  private final String version;
  private final Map<String, Instant> digestWritten = new ConcurrentHashMap<>();
  private final Map<String, ProxyDataplane> written = new ConcurrentHashMap<>();

  StatusWriter(KubernetesClient client, String version) {
    this.client = client;
    this.version = version;
  }

  /** Writes if there is need to, and returns what is worth an Event. */
  List<Notice> write(ProxyDataplane dataplane, Report report, String digest, Instant now) {
    ProxyDataplaneStatus before =
        Objects.requireNonNullElseGet(newest(dataplane).getStatus(), ProxyDataplaneStatus::new);
    ProxyDataplaneStatus next = next(dataplane, before, report, now);
    boolean changed = !same(before, next);
    next.catalogueDigest = digest;
    boolean stale = !digest.equals(before.catalogueDigest) && mayWriteDigest(dataplane, now);
    if (!changed && !stale) {
      return List.of();
    }
    String name = dataplane.getMetadata().getName();
    written.put(name, patch(dataplane, next));
    digestWritten.put(name, now);
    return Transitions.between(before.conditions, next.conditions);
  }

  /** The watch may lag behind what was written here last; its own word counts until it is seen. */
  private ProxyDataplane newest(ProxyDataplane seen) {
    ProxyDataplane last = written.get(seen.getMetadata().getName());
    boolean newer =
        last != null
            && last.getMetadata().getUid().equals(seen.getMetadata().getUid())
            && version(last) > version(seen);
    return newer && last != null ? last : seen;
  }

  /** Versions of one object can be compared as numbers. */
  private static long version(ProxyDataplane dataplane) {
    return Long.parseLong(dataplane.getMetadata().getResourceVersion());
  }

  private boolean mayWriteDigest(ProxyDataplane dataplane, Instant now) {
    Instant last = digestWritten.get(dataplane.getMetadata().getName());
    return last == null || now.isAfter(last.plus(DIGEST_INTERVAL));
  }

  private ProxyDataplaneStatus next(
      ProxyDataplane dataplane, ProxyDataplaneStatus before, Report report, Instant now) {
    long generation = dataplane.getMetadata().getGeneration();
    ProxyDataplaneStatus next = new ProxyDataplaneStatus();
    next.observedGeneration = generation;
    next.conditions = Conditions.reduce(before.conditions, report.verdicts(), generation, now);
    next.nodes = counts(report.counts());
    next.convergedNodes = report.counts().converged() + "/" + report.counts().desired();
    next.currentDataplane = report.current();
    next.message = report.message();
    next.plan = report.plan();
    next.operatorVersion = version;
    return next;
  }

  private static NodeCounts counts(Report.Counts counts) {
    NodeCounts nodes = new NodeCounts();
    nodes.desired = counts.desired();
    nodes.converged = counts.converged();
    nodes.switching = counts.switching();
    nodes.rolledBack = counts.rolledBack();
    nodes.failed = counts.failed();
    return nodes;
  }

  private static boolean same(ProxyDataplaneStatus one, ProxyDataplaneStatus other) {
    return Objects.equals(one.observedGeneration, other.observedGeneration)
        && Conditions.same(one.conditions, other.conditions)
        && same(one.nodes, other.nodes)
        && Objects.equals(one.convergedNodes, other.convergedNodes)
        && one.currentDataplane == other.currentDataplane
        && Objects.equals(one.message, other.message)
        && tree(one).equals(tree(other))
        && Objects.equals(one.operatorVersion, other.operatorVersion);
  }

  private static JsonNode tree(ProxyDataplaneStatus status) {
    return MAPPER.valueToTree(status.plan);
  }

  private static boolean same(@Nullable NodeCounts one, @Nullable NodeCounts other) {
    if (one == null || other == null) {
      return one == other;
    }
    return one.desired.equals(other.desired)
        && one.converged.equals(other.converged)
        && one.switching.equals(other.switching)
        && one.rolledBack.equals(other.rolledBack)
        && one.failed.equals(other.failed);
  }

  /** A fresh object with nothing but the status, so that no other field is ever claimed. */
  private ProxyDataplane patch(ProxyDataplane dataplane, ProxyDataplaneStatus status) {
    ProxyDataplane fresh = new ProxyDataplane();
    fresh.setMetadata(new ObjectMetaBuilder().withName(dataplane.getMetadata().getName()).build());
    fresh.setStatus(status);
    return client
        .resource(fresh)
        .subresource("status")
        .patch(
            new PatchContext.Builder()
                .withPatchType(PatchType.SERVER_SIDE_APPLY)
                .withFieldManager(Names.FIELD_MANAGER)
                .withForce(true)
                .build());
  }
}
