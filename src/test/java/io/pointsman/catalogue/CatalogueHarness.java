// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A catalogue that is fed objects, and a mirror that is fed nothing but its deltas. */
final class CatalogueHarness {
  private final Names names = new Names();
  private final ServiceReader services = new ServiceReader(names);
  private final SliceReader slices = new SliceReader(names);
  final Catalogue catalogue;
  final Map<ServicePortId, ServicePort> mirror = new HashMap<>();

  CatalogueHarness() {
    this(Catalogue.forNode("node-1"));
  }

  CatalogueHarness(Catalogue catalogue) {
    this.catalogue = catalogue;
  }

  CatalogueHarness add(Service service) {
    reflect(catalogue.upsertService(services.read(service)));
    return this;
  }

  CatalogueHarness add(EndpointSlice slice) {
    SliceInput input = slices.read(slice);
    reflect(
        input == null
            ? catalogue.removeSlice(slices.key(slice.getMetadata()))
            : catalogue.upsertSlice(input));
    return this;
  }

  CatalogueHarness remove(Service service) {
    reflect(catalogue.removeService(services.key(service.getMetadata())));
    return this;
  }

  CatalogueHarness remove(EndpointSlice slice) {
    reflect(catalogue.removeSlice(slices.key(slice.getMetadata())));
    return this;
  }

  /** Every frontend with its backends, as sorted lines a person can compare. */
  List<String> lines() {
    List<String> lines = new ArrayList<>();
    catalogue.forEachPort(
        port -> {
          for (Frontend frontend : port.frontends()) {
            Claim.Place place =
                new Claim.Place(frontend.address(), frontend.port(), frontend.protocol());
            String family =
                frontend.address().isV4() ? "" : frontend.address().isAny() ? " v6" : "";
            lines.add(place + family + " " + port.id().text() + " ->" + backends(port));
          }
        });
    lines.sort(null);
    return lines;
  }

  List<String> reasons() {
    return catalogue.problems().stream().map(p -> p.object() + " " + p.reason()).toList();
  }

  private static String backends(ServicePort port) {
    StringBuilder text = new StringBuilder();
    for (Backend backend : port.backends()) {
      text.append(' ').append(backend.address()).append(':').append(backend.port());
      text.append(backend.local() ? "*" : "");
    }
    return text.toString();
  }

  private void reflect(CatalogueDelta delta) {
    delta.removed().forEach(mirror::remove);
    delta.upserted().forEach(port -> mirror.put(port.id(), port));
  }
}
