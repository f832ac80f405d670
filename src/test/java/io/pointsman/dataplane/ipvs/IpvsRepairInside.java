// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.Services.desired;
import static io.pointsman.dataplane.ipvs.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.NumberedServices;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.verify.Verdict;
import io.pointsman.verify.Verifier;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a hand changes in the kernel is seen, named and mended. */
public class IpvsRepairInside extends IpvsFixture {
  private final DesiredState desired = desired(ports(6, 3));

  @BeforeEach
  void activate() {
    here(() -> dataplane.prepare(desired));
    run(dataplane::activate);
  }

  @ParameterizedTest(name = "{0}")
  @ValueSource(
      strings = {
        "ipvsadm -D -t 10.96.0.2:80",
        "ipvsadm -D -t 198.51.100.7:30003",
        "ipvsadm -d -t 10.96.0.2:80 -r 10.244.0.32:8080",
        "ipvsadm -a -t 10.96.0.2:80 -r 10.244.9.9:8080 -m",
        "ipvsadm -e -t 10.96.0.2:80 -r 10.244.0.32:8080 -m -w 0",
        "ipvsadm -e -t 10.96.0.2:80 -r 10.244.0.32:8080 -m -w 7",
        "ipvsadm -a -t 198.51.100.7:30003 -r 10.244.9.9:8080 -m",
        "ipvsadm -E -t 10.96.0.2:80 -s wlc",
        "ipvsadm -E -t 10.96.0.2:80 -s rr -p 300",
        "ipvsadm -A -t 10.96.0.2:8080 -s rr",
        "ip addr del 10.96.0.2/32 dev kube-ipvs0",
        "ip addr add 10.96.0.77/32 dev kube-ipvs0",
        "ipset del KUBE-CLUSTER-IP 10.96.0.2,tcp:80",
        "ipset add KUBE-CLUSTER-IP 10.96.0.2,tcp:81",
        "ipset flush KUBE-IPVS-IPS",
        "ipset flush KUBE-NODE-PORT-TCP",
        "iptables-legacy -t nat -F KUBE-SERVICES",
        "iptables-legacy -t nat -D PREROUTING 1",
        "ip6tables-legacy -t filter -A KUBE-FORWARD -j DROP",
        "sysctl -q -w net.ipv4.vs.conntrack=0",
        "ip link del kube-ipvs0"
      })
  void mends(String damage) {
    shell(damage.split(" ", -1));
    Verdict found = here(() -> Verifier.verify(desired, dataplane.read()));
    assertThat(found.proven()).isFalse();
    assertThat(found.samples()).isNotEmpty();
    if (damage.equals("ip link del kube-ipvs0")) {
      // The note of the phase has gone with the device: it is prepared and activated anew.
      here(() -> dataplane.prepare(desired));
      run(dataplane::activate);
    } else {
      SyncResult result = here(() -> dataplane.repair(desired));
      assertThat(result.written() + result.deleted()).isPositive();
    }
    assertProven(desired);
  }

  @Test
  void asksForTheWholeAfterAFailure() {
    // Somebody was faster: the real server that is to be added is there already.
    shell("ipvsadm", "-a", "-t", "10.96.0.2:80", "-r", "10.244.3.32:8080", "-m");
    var before = ports(6, 3).get(2);
    var backends = new ArrayList<>(before.backends());
    backends.add(NumberedServices.backend(800));
    var after = Services.port(2, backends);
    var delta = new DesiredState.Delta(List.of(new DesiredState.Change(before, after)), List.of());
    assertThatThrownBy(() -> here(() -> dataplane.apply(delta)))
        .hasMessageContaining("add real server 10.244.3.32:8080")
        .hasMessageContaining("EEXIST");
    assertThatThrownBy(() -> here(() -> dataplane.apply(delta))).hasMessageContaining("repair");
    var all = new ArrayList<>(ports(6, 3));
    all.set(2, after);
    here(() -> dataplane.repair(desired(all)));
    assertProven(desired(all));
  }

  @Test
  void leavesAServerThatWasThereBeforeItsService() {
    shell("ipvsadm", "-A", "-t", "10.96.0.50:80", "-s", "wlc");
    shell("ipvsadm", "-a", "-t", "10.96.0.50:80", "-r", "10.244.77.7:99", "-m");
    var added = Services.port(50, NumberedServices.backends(800, 1));
    var delta = new DesiredState.Delta(List.of(new DesiredState.Change(null, added)), List.of());
    refuses(here(() -> dataplane.apply(delta)), added, "belongs to somebody else");
    assertProven(desired);
    var all = new ArrayList<>(ports(6, 3));
    all.add(added);
    refuses(here(() -> dataplane.repair(desired(all))), added, "belongs to somebody else");
    assertProven(desired);
    assertThat(shell("ipvsadm", "-Ln"))
        .containsPattern("TCP +10.96.0.50:80 wlc\\s+-> 10.244.77.7:99 ")
        .doesNotContain("10.244.3.32:8080");
    shell("ipvsadm", "-D", "-t", "10.96.0.50:80");
    assertThat(here(() -> dataplane.repair(desired(all))).refused()).isEmpty();
    assertProven(desired(all));
  }

  @Test
  void leavesServersOfOthersAtTheNodesAddress() {
    shell("ipvsadm", "-A", "-t", "198.51.100.7:31999", "-s", "wlc");
    here(() -> dataplane.repair(desired));
    assertProven(desired);
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(desired));
    assertProven(desired);
    run(dataplane::remove);
    assertThat(shell("ipvsadm", "-Sn")).isEqualTo("-A -t 198.51.100.7:31999 -s wlc\n");
  }

  @Test
  void aServiceThatMovesToTheServerOfSomebodyElseIsServedNoMore() {
    shell("ipvsadm", "-A", "-t", "10.96.0.50:80", "-s", "wlc");
    var before = ports(6, 3).get(2);
    var after = new ServicePort(before.id(), List.of(NumberedServices.clusterIp(50)), List.of());
    var delta = new DesiredState.Delta(List.of(new DesiredState.Change(before, after)), List.of());
    refuses(here(() -> dataplane.apply(delta)), after, "belongs to somebody else");
    var rest = new ArrayList<>(ports(6, 3));
    rest.remove(before);
    assertProven(desired(rest));
  }

  @Test
  void servesNothingAtExcludedAddresses() {
    options = options.excluding(List.of(AddressRange.parse("10.96.0.50/32")));
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(desired));
    var added = Services.port(50, NumberedServices.backends(800, 1));
    var delta = new DesiredState.Delta(List.of(new DesiredState.Change(null, added)), List.of());
    refuses(here(() -> dataplane.apply(delta)), added, "spec.ipvs.excludeCIDRs");
    assertProven(desired);
    var all = new ArrayList<>(ports(6, 3));
    all.add(added);
    refuses(here(() -> dataplane.repair(desired(all))), added, "spec.ipvs.excludeCIDRs");
    assertProven(desired);
    assertThat(shell("ipvsadm", "-Ln")).doesNotContain("10.96.0.50:80");
  }

  private static void refuses(SyncResult result, ServicePort port, String why) {
    assertThat(result.refused())
        .singleElement()
        .satisfies(
            refused -> {
              assertThat(refused.id()).isEqualTo(port.id());
              assertThat(refused.reason()).contains(why);
            });
  }
}
