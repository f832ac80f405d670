// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.Services.desired;
import static io.pointsman.dataplane.ipvs.Services.frontend;
import static io.pointsman.dataplane.ipvs.Services.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.NumberedServices;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.testing.Project;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Virtual servers at addresses that devices of the host have. */
public class IpvsHostAddressInside extends IpvsFixture {
  private static final String SHARED = "203.0.113.5";

  /** Of the Services of kube-proxy-ipvs.sh one has an external address of a device. */
  private static final DesiredState OF_KUBE_PROXY =
      desired(
          List.of(
              Services.port(1, NumberedServices.backends(1, 2)),
              Services.port(3, NumberedServices.backends(4, 3)),
              Services.port(6, List.of()),
              external(external("203.0.113.50"), external("203.0.113.51"))));

  private static Frontend external(String address) {
    return frontend(address, 8080, Protocol.TCP, FrontendKind.EXTERNAL_IP);
  }

  private static ServicePort external(Frontend... frontends) {
    return service("external", Protocol.TCP, List.of(frontends), NumberedServices.backend(12));
  }

  /** kube-proxy has it in a set of Services with a Local policy, and not on its device. */
  @Test
  void aLocalServiceOfKubeProxyIsTakenOver() {
    beKubeProxy();
    assertThat(here(dataplane::preflight).findings())
        .extracting(Finding::message)
        .contains("Virtual servers of others stay untouched: TCP 203.0.113.9:80.");
    assertThat(here(() -> dataplane.prepare(OF_KUBE_PROXY)).refused()).isEmpty();
    assertProven(OF_KUBE_PROXY);
  }

  @Test
  void aLocalServiceOfKubeProxyIsRemoved() {
    beKubeProxy();
    run(() -> new KubeProxyServers(options).remove());
    assertThat(shell("ipvsadm", "-Sn")).isEqualTo("-A -t 203.0.113.9:80 -s rr\n");
  }

  /** As that of a DNS cache on the node, at which kube-proxy serves node ports. */
  @Test
  void aLinkLocalNodePortOfKubeProxyIsTakenOver() {
    for (String command :
        List.of(
            "ip link add kube-ipvs0 type dummy",
            "ipset create KUBE-NODE-PORT-TCP bitmap:port range 0-65535",
            "ipset add KUBE-NODE-PORT-TCP 30003",
            "ip addr add 169.254.20.10/32 dev lo",
            "ipvsadm -A -t 169.254.20.10:30003 -s rr",
            "ipvsadm -A -t 169.254.20.10:53 -s rr")) {
      shell(command.split(" ", -1));
    }
    assertThat(here(dataplane::preflight).findings())
        .extracting(Finding::message)
        .contains("Virtual servers of others stay untouched: TCP 169.254.20.10:53.");
    here(() -> dataplane.prepare(desired(Services.ports(4, 1))));
    assertThat(shell("ipvsadm", "-Ln"))
        .contains("169.254.20.10:53 ", "198.51.100.7:30003")
        .doesNotContain("169.254.20.10:30003");
  }

  /** Whatever else listens there, a filter on the Services' addresses must not reject it. */
  @Test
  void anAddressThatComesToTheHostIsNoServicesAnyMore() {
    DesiredState wanted = shared();
    serve(wanted);
    shell("ip", "addr", "add", SHARED + "/32", "dev", "uplink");
    assertThat(here(dataplane::read).defects())
        .singleElement()
        .isEqualTo(
            "The address of the virtual server TCP "
                + SHARED
                + ":8080 has come to a device of the host, or has left one, since.");
    here(() -> dataplane.repair(wanted));
    assertProven(wanted);
    assertThat(onDevice()).doesNotContain(SHARED);
    assertThat(shell("ipset", "list", "KUBE-IPVS-IPS")).doesNotContain(SHARED);
    shell("ip", "addr", "del", SHARED + "/32", "dev", "uplink");
    assertThat(here(dataplane::read).defects()).hasSize(1);
    here(() -> dataplane.repair(wanted));
    assertProven(wanted);
    assertThat(onDevice()).contains(SHARED);
  }

  @Test
  void anAddressThatComesToTheHostAnswersOnNodePorts() {
    DesiredState wanted = shared();
    serve(wanted);
    shell("ip", "addr", "add", SHARED + "/32", "dev", "uplink");
    Set<Address> more = new HashSet<>(Services.NODE_ADDRESSES);
    more.add(Address.parse(SHARED));
    run(() -> dataplane.applyNodePortAddresses(more));
    assertThat(onDevice()).doesNotContain(SHARED);
    assertThat(shell("ipset", "list", "KUBE-IPVS-IPS")).doesNotContain(SHARED);
    assertThat(shell("ipvsadm", "-Ln")).contains(SHARED + ":30003", SHARED + ":8080");
    assertProven(wanted);
  }

  /** As of a load balancer that runs on the nodes. */
  @Test
  void aNodePortThatIsAlsoThePortOfAnAddressOfTheNodeIsBoth() {
    DesiredState wanted = desired(List.of(atTheNode("both", 30_080, 30_080, 1)));
    assertThat(here(() -> dataplane.prepare(wanted)).refused()).isEmpty();
    run(dataplane::activate);
    assertProven(wanted);
    restartedIsProven(wanted);
    DesiredState fewer = desired(List.of(atTheNode("both", 30_080, 30_081, 1)));
    here(() -> dataplane.repair(fewer));
    assertProven(fewer);
    run(dataplane::remove);
    assertThat(shell("ipvsadm", "-Sn")).isBlank();
  }

  @Test
  void aPlaceThatTwoServicesNeedIsTheFirstOnes() {
    ServicePort first = atTheNode("second-by-name", 30_080, 30_081, 1);
    ServicePort second = atTheNode("first-by-name", 30_082, 30_080, 2);
    DesiredState wanted = desired(List.of(first));
    serve(wanted);
    SyncResult result =
        here(
            () ->
                dataplane.apply(
                    new DesiredState.Delta(
                        List.of(new DesiredState.Change(null, second)), List.of())));
    assertThat(result.refused())
        .singleElement()
        .satisfies(
            refused -> {
              assertThat(refused.id()).isEqualTo(second.id());
              assertThat(refused.reason()).contains("30080", first.id().text());
            });
    assertProven(wanted);
    DesiredState both = desired(List.of(second, first));
    assertThat(here(() -> dataplane.repair(both)).refused()).hasSize(1);
    assertProven(wanted);
  }

  /** The kernel takes no such real server, and everything else is to be served. */
  @Test
  void anEndpointThatIsABroadcastAddressIsRefusedAlone() {
    ServicePort fine = Services.port(3, NumberedServices.backends(1, 2));
    ServicePort odd =
        service(
            "odd",
            Protocol.TCP,
            List.of(external("203.0.113.50")),
            new Backend(Address.parse("198.51.100.255"), 8080, false));
    assertThat(here(() -> dataplane.prepare(desired(List.of(fine, odd)))).refused())
        .singleElement()
        .satisfies(refused -> assertThat(refused.reason()).contains("198.51.100.255"));
    run(dataplane::activate);
    assertProven(desired(List.of(fine)));
  }

  private void restartedIsProven(DesiredState wanted) {
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(wanted));
    assertProven(wanted);
  }

  private static ServicePort atTheNode(String name, int port, int nodePort, int backend) {
    return service(
        name,
        Protocol.TCP,
        List.of(
            frontend(SHARED, port, Protocol.TCP, FrontendKind.CLUSTER_IP),
            frontend(Services.NODE_V4.toString(), port, Protocol.TCP, FrontendKind.LOAD_BALANCER),
            frontend("0.0.0.0", nodePort, Protocol.TCP, FrontendKind.NODE_PORT)),
        NumberedServices.backend(backend));
  }

  private static DesiredState shared() {
    return desired(
        List.of(
            Services.port(3, NumberedServices.backends(1, 2)),
            external(frontend(SHARED, 8080, Protocol.TCP, FrontendKind.EXTERNAL_IP))));
  }

  private void serve(DesiredState wanted) {
    here(() -> dataplane.prepare(wanted));
    run(dataplane::activate);
    assertProven(wanted);
    assertThat(onDevice()).contains(SHARED);
  }

  private String onDevice() {
    return shell("ip", "addr", "show", "dev", IpvsDataplane.DEVICE);
  }

  private void beKubeProxy() {
    shell("sh", "-ec", Project.read("src/test/resources/verify/kube-proxy-ipvs.sh"));
  }
}
