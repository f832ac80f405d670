// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
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
import java.util.Optional;
import java.util.Set;

/** What a kube-proxy must serve of these objects. */
final class ClusterObjects {
  static final Set<Protocol> ALL = EnumSet.allOf(Protocol.class);

  private ClusterObjects() {}

  static List<ExpectedPort> expected(String node, Iterable<? extends HasMetadata> objects) {
    Names names = new Names();
    ServiceReader services = new ServiceReader(names, ALL);
    SliceReader slices = new SliceReader(names, ALL);
    Catalogue catalogue = Catalogue.clusterWide();
    for (HasMetadata object : objects) {
      if (object instanceof Service service) {
        catalogue.upsertService(services.read(service));
      } else if (object instanceof EndpointSlice slice) {
        SliceInput input = slices.read(slice);
        if (input != null) {
          catalogue.upsertSlice(input);
        }
      }
    }
    KubeProxyView view = new KubeProxyView(node, Optional.of("zone-a"));
    List<ExpectedPort> ports = new ArrayList<>();
    catalogue.forEachService((service, of) -> ports.addAll(view.ports(service, of)));
    return ports;
  }
}
