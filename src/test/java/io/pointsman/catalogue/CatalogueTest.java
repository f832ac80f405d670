// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static io.pointsman.catalogue.Objects.change;
import static io.pointsman.catalogue.Objects.endpoint;
import static io.pointsman.catalogue.Objects.ready;
import static io.pointsman.catalogue.Objects.service;
import static io.pointsman.catalogue.Objects.slice;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a catalogue hands out. */
class CatalogueTest {
  @Test
  void theDigestDoesNotDependOnTheNode() {
    CatalogueHarness here = new CatalogueHarness(Catalogue.forNode("node-1"));
    CatalogueHarness anywhere = new CatalogueHarness(Catalogue.clusterWide());
    for (CatalogueHarness harness : List.of(here, anywhere)) {
      harness.add(service("web", "10.96.0.1")).add(slice("web", "a", ready("10.244.0.5")));
    }
    assertThat(here.catalogue.digest())
        .isEqualTo(anywhere.catalogue.digest())
        .isNotEqualTo(Digest.EMPTY);
    assertThat(here.lines()).isNotEqualTo(anywhere.lines());
  }

  @Test
  void anEventThatChangesNothingYieldsNothing() {
    Names names = new Names();
    Catalogue catalogue = Catalogue.forNode("node-1");
    ServiceInput service = new ServiceReader(names).read(service("web", "10.96.0.1"));
    SliceInput slice =
        requireNonNull(new SliceReader(names).read(slice("web", "a", ready("10.244.0.5"))));
    assertThat(catalogue.upsertService(service).upserted()).hasSize(1);
    assertThat(catalogue.upsertService(service)).isSameAs(CatalogueDelta.NONE);
    assertThat(catalogue.upsertSlice(slice).upserted()).hasSize(1);
    assertThat(catalogue.upsertSlice(slice)).isSameAs(CatalogueDelta.NONE);
    assertThat(catalogue.removeSlice(new ObjectKey("default", "none")))
        .isSameAs(CatalogueDelta.NONE);
    assertThat(catalogue.nodesOf(service.key())).containsExactly("node-1");
  }

  /** Connections notice by themselves; and no node's digest waits for a pod to end. */
  @Test
  void endpointsThatTerminateKeepFlowsOfUdpOnlyAndAreNoPartOfTheDigest() {
    for (Protocol protocol : List.of(Protocol.UDP, Protocol.TCP)) {
      CatalogueHarness harness = new CatalogueHarness(Catalogue.forNode("node-1"));
      harness.add(
          service(
              "web",
              "10.96.0.1",
              s -> s.editSpec().editFirstPort().withProtocol(protocol.name()).endPort().endSpec()));
      List<List<Endpoint>> states =
          List.of(
              List.of(ready("10.244.0.5")),
              List.of(ready("10.244.0.5"), endpoint("10.244.0.6", false, true, true)),
              List.of(ready("10.244.0.5"), endpoint("10.244.0.6", false, false, true)),
              List.of(endpoint("10.244.0.6", false, true, true)));
      List<String> terminating = new ArrayList<>();
      Set<Digest> digests = new HashSet<>();
      for (List<Endpoint> state : states) {
        harness.add(
            change(
                slice("web", "a", state.toArray(Endpoint[]::new)),
                s -> s.editFirstPort().withProtocol(protocol.name()).endPort()));
        harness.catalogue.forEachPort(port -> terminating.add(port.terminating().toString()));
        digests.add(harness.catalogue.digest());
      }
      String kept = List.of(new Backend(Address.parse("10.244.0.6"), 8080, true)).toString();
      assertThat(terminating)
          .containsExactly("[]", protocol == Protocol.UDP ? kept : "[]", "[]", "[]");
      assertThat(digests).hasSize(2);
    }
  }

  @Test
  void everyProblemSaysWhatToDo() {
    CatalogueHarness harness = new CatalogueHarness();
    harness.add(
        service("web", "10.96.0.1", s -> s.editSpec().withExternalIPs("nonsense").endSpec()));
    assertThat(harness.catalogue.problems())
        .singleElement()
        .extracting(Problem::text)
        .isEqualTo(
            "Service default/web: externalIP \"nonsense\" is not an IP address."
                + " Give the Service an address that clients can reach.");
  }
}
