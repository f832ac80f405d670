// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.Services.frontend;
import static io.pointsman.dataplane.ipvs.Services.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What a Service port needs in the sets, and in which order that changes. */
class SetChangesTest {
  private static final Address NODE = Address.parse("198.51.100.7");
  private final Placement placement =
      new Placement(
          Set.of(NODE, Address.parse("127.0.0.1"), Address.parse("192.0.2.99")),
          Set.of(NODE, Address.parse("203.0.113.9")),
          Set.of());
  private final SetContents contents = new SetContents(List.of());

  @Test
  void namesEveryEntryOfAPort() {
    ServicePort port =
        service(
            "web",
            Protocol.TCP,
            List.of(
                frontend("10.96.0.1", 80, Protocol.TCP, FrontendKind.CLUSTER_IP),
                frontend("203.0.113.9", 80, Protocol.TCP, FrontendKind.EXTERNAL_IP),
                frontend("203.0.113.5", 80, Protocol.TCP, FrontendKind.LOAD_BALANCER),
                frontend("0.0.0.0", 30_080, Protocol.TCP, FrontendKind.NODE_PORT)),
            new Backend(Address.parse("10.244.0.5"), 8080, true),
            new Backend(Address.parse("10.244.1.5"), 8080, false));
    assertThat(entries(port))
        .containsExactly(
            "KUBE-CLUSTER-IP 10.96.0.1,tcp:80",
            "KUBE-IPVS-IPS 10.96.0.1",
            // An address of the node itself is not put on kube-ipvs0, nor are its ports filtered.
            "KUBE-EXTERNAL-IP 203.0.113.9,tcp:80",
            "KUBE-LOAD-BALANCER 203.0.113.5,tcp:80",
            "KUBE-IPVS-IPS 203.0.113.5",
            "KUBE-NODE-PORT-TCP 30080",
            "KUBE-LOOP-BACK 10.244.0.5,tcp:8080,10.244.0.5");
  }

  @Test
  void putsNodePortsOnlyWhereTheNodeAnswers() {
    assertThat(placement.nodePortAddresses(IpFamily.IPV4)).containsExactly(NODE);
    assertThat(placement.nodePortAddresses(IpFamily.IPV6)).containsExactly(Address.ANY_V6);
    ServicePort port =
        service(
            "sctp",
            Protocol.SCTP,
            List.of(frontend("0.0.0.0", 30_081, Protocol.SCTP, FrontendKind.NODE_PORT)));
    assertThat(entries(port)).containsExactly("KUBE-NODE-PORT-SCTP-HASH 198.51.100.7,sctp:30081");
    assertThat(placement.servers(port)).hasToString("[SCTP 198.51.100.7:30081]");
  }

  @Test
  void letsInBeforeOnlyAtAddressesThatAreNew() {
    ServicePort first = clusterIp("first", 80);
    ServicePort second = clusterIp("second", 81);
    contents.reset(List.of(), placement);
    SetChanges coming = contents.replace(List.of(), List.of(first), placement);
    assertThat(coming.early()).hasSize(2);
    assertThat(coming.late()).isEmpty();
    assertThat(coming.bound()).containsExactly(Address.parse("10.96.0.1"));
    SetChanges joining = contents.replace(List.of(), List.of(second), placement);
    assertThat(joining.early()).isEmpty();
    assertThat(joining.late()).hasSize(1);
    assertThat(joining.bound()).isEmpty();
    SetChanges leaving = contents.replace(List.of(first), List.of(), placement);
    assertThat(leaving.first()).hasSize(1);
    assertThat(leaving.last()).isEmpty();
    SetChanges gone = contents.replace(List.of(second), List.of(), placement);
    assertThat(gone.first()).isEmpty();
    assertThat(gone.last()).hasSize(2);
    assertThat(gone.unbound()).containsExactly(Address.parse("10.96.0.1"));
  }

  @Test
  void changesNothingForWhatMovesOrIsShared() {
    ServicePort before = clusterIp("before", 80);
    ServicePort after = clusterIp("after", 80);
    contents.reset(List.of(before), placement);
    SetChanges moved = contents.replace(List.of(before), List.of(after), placement);
    assertThat(moved.added() + moved.removed()).isZero();
  }

  @Test
  void readsEntriesInWhateverFormTheKernelWritesThem() {
    Address address = Address.parse("fd00:10:96::a");
    assertThat(
            SetEntry.parse(
                SetName.LOOP_BACK, IpFamily.IPV6, "fd00:10:96::a,tcp:80,fd00:10:96:0:0:0:0:a"))
        .returns(address + ",tcp:80," + address, SetEntry::text);
    assertThat(SetEntry.parse(SetName.NODE_PORT_TCP, IpFamily.IPV6, "30080"))
        .returns("30080", SetEntry::text);
  }

  private List<String> entries(ServicePort port) {
    List<String> found = new ArrayList<>();
    SetEntry.forEach(port, placement, e -> found.add(e.set().text(e.family()) + " " + e.text()));
    return found;
  }

  private static ServicePort clusterIp(String name, int port) {
    return service(
        name,
        Protocol.TCP,
        List.of(frontend("10.96.0.1", port, Protocol.TCP, FrontendKind.CLUSTER_IP)));
  }

  /** No filter is in the way there, and only the entry tells whose the virtual server is. */
  @Test
  void anAddressOfTheNodeItselfIsMarkedBeforeItsVirtualServerAndUntilItHasGone() {
    ServicePort port =
        service(
            "node",
            Protocol.TCP,
            List.of(frontend("203.0.113.9", 443, Protocol.TCP, FrontendKind.LOAD_BALANCER)));
    SetChanges come = contents.replace(List.of(), List.of(port), placement);
    assertThat(come.early()).hasSize(1);
    assertThat(come.late()).isEmpty();
    SetChanges gone = contents.replace(List.of(port), List.of(), placement);
    assertThat(gone.first()).isEmpty();
    assertThat(gone.last()).hasSize(1);
  }
}
