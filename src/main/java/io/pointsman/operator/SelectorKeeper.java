// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.api.model.apps.DaemonSetStatus;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.pointsman.operator.plan.DaemonSetRef;
import io.pointsman.operator.plan.Names;
import io.pointsman.operator.plan.PodUpdates;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Writes the nodeSelector of kube-proxy's DaemonSet. The API server treats a pod's nodeSelector as
 * one atomic value, so a field manager owns all of it or nothing: what is there is applied again
 * together with the label, on the version that was read.
 *
 * <p>The selector is part of the pod template, and a changed template makes the DaemonSet
 * controller replace every pod. A kube-proxy that starts follows no change until it has programmed
 * everything, which takes it long in a large cluster. So pods that lack only the selector are kept,
 * by the updateStrategy OnDelete; the parameters of its RollingUpdate stay where they are.
 */
final class SelectorKeeper {
  private static final String ROLLING_UPDATE = "RollingUpdate";
  private static final String ON_DELETE = "OnDelete";

  private final KubernetesClient client;

  SelectorKeeper(KubernetesClient client) {
    this.client = client;
  }

  /**
   * Makes the DaemonSet select nodes that carry the label. Pods that an update has yet to replace
   * are not kept from that.
   */
  void hold(DaemonSetRef ref) {
    DaemonSet present = daemonSet(ref).get();
    if (present == null) {
      return;
    }
    Map<String, String> selector = new LinkedHashMap<>(Reductions.nodeSelector(present));
    if (Names.KUBE_PROXY_ON.equals(selector.put(Names.KUBE_PROXY_LABEL, Names.KUBE_PROXY_ON))) {
      return;
    }
    Map<String, Object> metadata = metadata(present);
    Map<String, Object> spec = new LinkedHashMap<>();
    spec.put("template", Map.of("spec", Map.of("nodeSelector", selector)));
    boolean ours = Reductions.updates(present) != PodUpdates.OWN;
    if (updated(present) && (ours || ROLLING_UPDATE.equals(strategy(present)))) {
      String next = Long.toString(present.getMetadata().getGeneration() + 1);
      metadata.put("annotations", Map.of(Names.PODS_KEPT_AT, next));
      spec.put("updateStrategy", Map.of("type", ON_DELETE));
    } else if (ours) {
      spec.put("updateStrategy", Map.of("type", ROLLING_UPDATE));
    }
    var all =
        Map.of("apiVersion", "apps/v1", "kind", "DaemonSet", "metadata", metadata, "spec", spec);
    patch(ref, PatchType.SERVER_SIDE_APPLY, all);
  }

  /**
   * Takes the label out of the selector and leaves the rest of it as it is. Pods that never left
   * are those of the template again; the others are replaced.
   */
  void release(DaemonSetRef ref) {
    var without = Collections.singletonMap(Names.KUBE_PROXY_LABEL, null);
    giveBack(ref, Map.of("template", Map.of("spec", Map.of("nodeSelector", without))));
  }

  /** Lets the DaemonSet replace its pods by its own updateStrategy; whether it could not before. */
  boolean update(DaemonSetRef ref) {
    return giveBack(ref, Map.of());
  }

  private boolean giveBack(DaemonSetRef ref, Map<String, Object> more) {
    DaemonSet present = daemonSet(ref).get();
    if (present == null) {
      return false;
    }
    boolean ours = Reductions.updates(present) != PodUpdates.OWN;
    Map<String, Object> metadata = metadata(present);
    Map<String, Object> spec = new LinkedHashMap<>(more);
    if (ours) {
      metadata.put("annotations", Collections.singletonMap(Names.PODS_KEPT_AT, null));
      spec.put("updateStrategy", Map.of("type", ROLLING_UPDATE));
    }
    patch(ref, PatchType.JSON_MERGE, Map.of("metadata", metadata, "spec", spec));
    return ours;
  }

  /** Whether every pod is of the present template. */
  private static boolean updated(DaemonSet daemonSet) {
    DaemonSetStatus status = daemonSet.getStatus();
    return Reductions.observed(daemonSet)
        && count(status.getUpdatedNumberScheduled()) >= count(status.getCurrentNumberScheduled());
  }

  private static int count(@Nullable Integer number) {
    return number == null ? 0 : number;
  }

  private static @Nullable String strategy(DaemonSet daemonSet) {
    return daemonSet.getSpec().getUpdateStrategy() == null
        ? null
        : daemonSet.getSpec().getUpdateStrategy().getType();
  }

  /** The version that was read: another writer in between refuses the patch. */
  private static Map<String, Object> metadata(DaemonSet present) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("name", present.getMetadata().getName());
    metadata.put("namespace", present.getMetadata().getNamespace());
    metadata.put("resourceVersion", present.getMetadata().getResourceVersion());
    return metadata;
  }

  private void patch(DaemonSetRef ref, PatchType type, Map<String, Object> patch) {
    daemonSet(ref)
        .patch(
            new PatchContext.Builder()
                .withPatchType(type)
                .withFieldManager(Names.FIELD_MANAGER)
                .withForce(type == PatchType.SERVER_SIDE_APPLY ? true : null)
                .build(),
            client.getKubernetesSerialization().asJson(patch));
  }

  /** Who wrote the pod template's selector last, other than the operator; null when unknown. */
  @Nullable String remover(DaemonSetRef ref) {
    DaemonSet present = daemonSet(ref).get();
    return present == null ? null : remover(present.getMetadata().getManagedFields());
  }

  /** The owner of the selector, else the latest writer of the object. */
  static @Nullable String remover(List<ManagedFieldsEntry> entries) {
    List<ManagedFieldsEntry> others =
        entries.stream()
            .filter(entry -> entry.getSubresource() == null || entry.getSubresource().isEmpty())
            .filter(entry -> !Names.FIELD_MANAGER.equals(entry.getManager()))
            .sorted(
                Comparator.comparing(
                        (ManagedFieldsEntry entry) ->
                            Objects.requireNonNullElse(entry.getTime(), ""))
                    .reversed())
            .toList();
    Optional<ManagedFieldsEntry> owner =
        others.stream().filter(SelectorKeeper::ownsSelector).findFirst();
    return owner
        .or(() -> others.stream().findFirst())
        .map(ManagedFieldsEntry::getManager)
        .orElse(null);
  }

  private static boolean ownsSelector(ManagedFieldsEntry entry) {
    Object fields =
        entry.getFieldsV1() == null ? null : entry.getFieldsV1().getAdditionalProperties();
    for (String key : List.of("f:spec", "f:template", "f:spec", "f:nodeSelector")) {
      fields = fields instanceof Map<?, ?> map ? map.get(key) : null;
    }
    return fields != null;
  }

  private Resource<DaemonSet> daemonSet(DaemonSetRef ref) {
    return client.apps().daemonSets().inNamespace(ref.namespace()).withName(ref.name());
  }
}
