// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.catalogue.KubeProxyView;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServiceReader;
import io.pointsman.catalogue.SliceInput;
import io.pointsman.catalogue.SliceReader;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The cluster's Services as they are now; looks that are made together share one list. */
final class ServiceLists {
  /** kube-proxy serves more than Pointsman does. */
  static final Set<Protocol> PROTOCOLS = EnumSet.allOf(Protocol.class);

  private static final String ZONE = "topology.kubernetes.io/zone";

  private final KubernetesClient client;
  private final Names names = new Names();
  private final Shared<Catalogue> listed = new Shared<>(this::list, System::nanoTime);

  ServiceLists(KubernetesClient client) {
    this.client = client;
  }

  /** What kube-proxy must serve on a node. */
  List<ExpectedPort> expectedOn(Node node) {
    Map<String, String> labels = node.getMetadata().getLabels();
    // kube-proxy knows a node without the label to be in no zone.
    String zone = labels == null ? "" : labels.getOrDefault(ZONE, "");
    KubeProxyView view = new KubeProxyView(node.getMetadata().getName(), Optional.of(zone));
    List<ExpectedPort> expected = new ArrayList<>();
    listed.get().forEachService((service, slices) -> expected.addAll(view.ports(service, slices)));
    return expected;
  }

  private Catalogue list() {
    Catalogue catalogue = Catalogue.clusterWide();
    ServiceReader services = new ServiceReader(names, PROTOCOLS);
    for (Service service : client.services().inAnyNamespace().list().getItems()) {
      catalogue.upsertService(services.read(service));
    }
    SliceReader slices = new SliceReader(names, PROTOCOLS);
    for (EndpointSlice slice :
        client.discovery().v1().endpointSlices().inAnyNamespace().list().getItems()) {
      SliceInput input = slices.read(slice);
      if (input != null) {
        catalogue.upsertSlice(input);
      }
    }
    return catalogue;
  }
}
