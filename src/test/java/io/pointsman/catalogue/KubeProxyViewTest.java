// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static io.pointsman.catalogue.Objects.endpoint;
import static io.pointsman.catalogue.Objects.ready;
import static io.pointsman.catalogue.Objects.service;
import static io.pointsman.catalogue.Objects.slice;
import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class KubeProxyViewTest {
  private static final Service LOCAL =
      service(
          "web",
          "10.96.0.1",
          it ->
              it.editSpec()
                  .withType("NodePort")
                  .withInternalTrafficPolicy("Local")
                  .editFirstPort()
                  .withNodePort(30_080)
                  .endPort()
                  .endSpec());

  @Test
  void readyEndpointsAreChosen() {
    assertThat(
            cluster(
                "node-1",
                "",
                ready("10.0.0.1"),
                endpoint("10.0.0.2", false, true, true),
                endpoint("10.0.0.3", false, false, false)))
        .containsExactly(Set.of("10.0.0.1"));
  }

  @Test
  void thoseThatTerminateServeWhenNoOtherIsLeft() {
    assertThat(
            cluster(
                "node-1",
                "",
                endpoint("10.0.0.2", false, true, true),
                endpoint("10.0.0.3", false, false, true)))
        .containsExactly(Set.of("10.0.0.2"));
    assertThat(cluster("node-1", "")).containsExactly(Set.of());
  }

  @Test
  void hintsAreAChoiceWhenEveryEndpointHasThem() {
    Endpoint a = hinted("10.0.0.1", "zone-a", "node-1");
    Endpoint b = hinted("10.0.0.2", "zone-b", "node-2");
    Set<String> all = Set.of("10.0.0.1", "10.0.0.2");
    assertThat(cluster("node-1", "zone-b", a, b))
        .containsExactly(all, Set.of("10.0.0.1"), Set.of("10.0.0.2"));
    assertThat(cluster("node-9", "zone-b", a, b)).containsExactly(all, Set.of("10.0.0.2"));
    assertThat(cluster("node-9", "zone-c", a, b)).containsExactly(all);
    assertThat(cluster("node-1", "zone-a", a, ready("10.0.0.2"))).containsExactly(all);
  }

  @Test
  void aZoneThatIsNotKnownMayBeAnyOfThem() {
    Endpoint a = hinted("10.0.0.1", "zone-a", "node-1");
    Endpoint b = hinted("10.0.0.2", "zone-b", "node-2");
    assertThat(
            places(
                new KubeProxyView("node-9", Optional.empty()), service("web", "10.96.0.1"), a, b))
        .first()
        .extracting(place -> place.cluster().size())
        .isEqualTo(3);
  }

  @Test
  void aLocalPolicyIsThatOfItsKindOfFrontend() {
    List<ExpectedPort.Place> places =
        places(
            new KubeProxyView("node-2", Optional.empty()),
            LOCAL,
            ready("10.0.0.1"),
            on("node-2", ready("10.0.0.2")),
            on("node-2", endpoint("10.0.0.3", false, true, true)));
    assertThat(places).extracting(ExpectedPort.Place::localOnly).containsExactly(true, false);
    assertThat(texts(places.getFirst().local())).containsExactly("10.0.0.2");
    List<ExpectedPort.Place> leaving =
        places(
            new KubeProxyView("node-2", Optional.empty()),
            LOCAL,
            ready("10.0.0.1"),
            on("node-2", endpoint("10.0.0.3", false, true, true)));
    assertThat(texts(leaving.getFirst().local())).containsExactly("10.0.0.3");
    assertThat(texts(leaving.getFirst().cluster().getFirst())).containsExactly("10.0.0.1");
  }

  @Test
  void ofTwoPodsWithOneAddressTheReadyOneCounts() {
    assertThat(cluster("node-1", "", ready("10.0.0.1"), endpoint("10.0.0.1", false, true, true)))
        .containsExactly(Set.of("10.0.0.1"));
  }

  private static List<Set<String>> cluster(String node, String zone, Endpoint... endpoints) {
    return places(
            new KubeProxyView(node, Optional.of(zone)), service("web", "10.96.0.1"), endpoints)
        .getFirst()
        .cluster()
        .stream()
        .map(KubeProxyViewTest::texts)
        .toList();
  }

  private static List<ExpectedPort.Place> places(
      KubeProxyView view, Service service, Endpoint... endpoints) {
    Names names = new Names();
    SliceInput input =
        requireNonNull(new SliceReader(names).read(slice("web", "web-1", endpoints)));
    List<ExpectedPort> ports = view.ports(new ServiceReader(names).read(service), List.of(input));
    assertThat(ports).hasSize(1);
    return ports.getFirst().places();
  }

  private static Set<String> texts(Set<Target> targets) {
    Set<String> texts = new TreeSet<>();
    targets.forEach(target -> texts.add(target.address().toString()));
    return texts;
  }

  private static Endpoint on(String node, Endpoint endpoint) {
    return new EndpointBuilder(endpoint).withNodeName(node).build();
  }

  private static Endpoint hinted(String address, String zone, String node) {
    return new EndpointBuilder(ready(address))
        .withNewHints()
        .addNewForZone(zone)
        .addNewForNode(node)
        .endHints()
        .build();
  }
}
