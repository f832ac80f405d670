// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.pointsman.operator.plan.DaemonSetRef;
import io.pointsman.operator.plan.Names;
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
 */
final class SelectorKeeper {
  private static final String TAKE_OUT =
      "{\"spec\":{\"template\":{\"spec\":{\"nodeSelector\":{\""
          + Names.KUBE_PROXY_LABEL
          + "\":null}}}}}";

  private final KubernetesClient client;

  SelectorKeeper(KubernetesClient client) {
    this.client = client;
  }

  /** Makes the DaemonSet select nodes that carry the label. */
  void hold(DaemonSetRef ref) {
    DaemonSet present = daemonSet(ref).get();
    if (present == null) {
      return;
    }
    Map<String, String> selector = new LinkedHashMap<>(Reductions.nodeSelector(present));
    if (Names.KUBE_PROXY_ON.equals(selector.put(Names.KUBE_PROXY_LABEL, Names.KUBE_PROXY_ON))) {
      return;
    }
    String patch =
        client
            .getKubernetesSerialization()
            .asJson(
                Map.of(
                    "apiVersion",
                    "apps/v1",
                    "kind",
                    "DaemonSet",
                    "metadata",
                    Map.of(
                        "name",
                        ref.name(),
                        "namespace",
                        ref.namespace(),
                        "resourceVersion",
                        present.getMetadata().getResourceVersion()),
                    "spec",
                    Map.of("template", Map.of("spec", Map.of("nodeSelector", selector)))));
    daemonSet(ref)
        .patch(
            new PatchContext.Builder()
                .withPatchType(PatchType.SERVER_SIDE_APPLY)
                .withFieldManager(Names.FIELD_MANAGER)
                .withForce(true)
                .build(),
            patch);
  }

  /** Takes the label out of the selector and leaves the rest of it as it is. */
  void release(DaemonSetRef ref) {
    daemonSet(ref)
        .patch(
            new PatchContext.Builder()
                .withPatchType(PatchType.JSON_MERGE)
                .withFieldManager(Names.FIELD_MANAGER)
                .build(),
            TAKE_OUT);
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
