// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.catalogue.Target;
import io.pointsman.catalogue.TrafficPolicy;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A Service port with internalTrafficPolicy Local on a node that has none of its pods. */
class LocalPolicyTest {
  private static final Address VIP = Address.parse("10.96.0.50");
  private static final BackendAddress ELSEWHERE =
      new BackendAddress(Address.parse("10.244.1.6"), 8080);
  private static final Set<Target> CLUSTER =
      Set.of(new Target(ELSEWHERE.address(), ELSEWHERE.port()));

  /** The ClusterIP has what it shall have, or what it shall not. */
  @ParameterizedTest
  @CsvSource({
    "IPVS,             , false, ''",
    "IPVS,             , true,  has 10.244.1.6:8080",
    "IPVS, NODE_PORT,    true,  ''",
    "IPVS, NODE_PORT,    false, lacks the endpoint 10.244.1.6:8080",
    "IPVS, EXTERNAL_IP,  true,  ''",
    "IPVS, LOAD_BALANCER, true, ''",
    "IPTABLES,         , false, ''",
    "IPTABLES, NODE_PORT, false, ''",
    "NFTABLES, NODE_PORT, true, has 10.244.1.6:8080",
  })
  void endpointsElsewhereAreServedOnlyForClientsOutside(
      KubeProxyMode mode, @Nullable FrontendKind also, boolean elsewhere, String says) {
    List<BackendAddress> found = elsewhere ? List.of(ELSEWHERE) : List.of();
    List<ExpectedPort.Place> places = new ArrayList<>();
    List<KubeProxyFrontend> kernel = new ArrayList<>();
    places.add(place(VIP, FrontendKind.CLUSTER_IP, true));
    kernel.add(served(VIP, found));
    if (also != null) {
      Address address =
          also == FrontendKind.NODE_PORT ? Address.ANY_V4 : Address.parse("203.0.113.7");
      places.add(place(address, also, false));
      kernel.add(served(address, List.of(ELSEWHERE)));
    }
    ServicePortId id = new ServicePortId("default", "web", "", Protocol.TCP, IpFamily.IPV4);
    KubeProxyVerdict verdict =
        new KubeProxyVerifier(
                List.of(new ExpectedPort(id, TrafficPolicy.DEFAULT, places, false)),
                ClusterObjects.ALL)
            .verify(List.of(new KubeProxyState(mode, "", kernel, List.of(), List.of())));
    List<String> texts = verdict.differences().stream().map(Difference::text).toList();
    if (says.isEmpty()) {
      assertThat(texts).isEmpty();
    } else {
      assertThat(texts).singleElement().asString().contains(says);
    }
  }

  private static ExpectedPort.Place place(Address address, FrontendKind kind, boolean local) {
    Frontend frontend = new Frontend(address, 30_080, Protocol.TCP, kind);
    return new ExpectedPort.Place(frontend, List.of(CLUSTER), Set.of(), local);
  }

  private static KubeProxyFrontend served(Address address, List<BackendAddress> found) {
    return new KubeProxyFrontend(
        address, 30_080, 6, "default/web", found.isEmpty(), found, found, List.of());
  }
}
