// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.NumberedServices.backends;
import static io.pointsman.dataplane.ipvs.Services.desired;
import static io.pointsman.dataplane.ipvs.Services.port;
import static io.pointsman.dataplane.ipvs.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.NumberedServices;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.SyncResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The whole dataplane, from nothing to nothing. */
public class IpvsDataplaneInside extends IpvsFixture {
  private final DesiredState desired = desired(ports(12, 4));

  @Test
  void walksThroughItsPhasesAndLeavesNothing() {
    List<String> before = everything();
    assertThat(here(() -> dataplane.preflight()).passed()).isTrue();
    assertThat(everything()).containsExactlyElementsOf(before);
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ABSENT);
    assertThat(here(() -> dataplane.drain()).drained()).isTrue();
    here(() -> dataplane.prepare(desired));
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.PREPARED);
    assertThat(shell("ip", "-o", "addr", "show", "dev", "kube-ipvs0")).isBlank();
    assertThat(shell("iptables-legacy-save")).doesNotContain("KUBE-SERVICES");
    assertProven(desired);
    run(dataplane::activate);
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ACTIVE);
    assertThat(shell("ip", "-o", "addr", "show", "dev", "kube-ipvs0")).contains("10.96.0.5/32");
    assertThat(shell("ipvsadm", "-Ln"))
        .containsPattern("TCP +10.96.0.3:80 rr\n +-> 10.244.0.48:8080 +Masq +1 ")
        .containsPattern("TCP +198.51.100.7:30003 rr\n");
    assertProven(desired);
    assertThat(here(() -> dataplane.events())).containsEntry("connections", 0L);
    assertThat(here(() -> dataplane.drain()).flows()).isZero();
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.DRAINING);
    run(dataplane::remove);
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ABSENT);
    run(dataplane::remove);
    assertThat(everything()).containsExactlyElementsOf(before);
  }

  @Test
  void isAdoptedByTheNextAgentWithoutAWrite() {
    here(() -> dataplane.prepare(desired));
    assertThat(here(() -> dataplane.prepare(desired))).isEqualTo(SyncResult.NONE);
    run(dataplane::activate);
    List<String> before = everything();
    restart(Scheduler.RR);
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ACTIVE);
    assertThat(here(() -> dataplane.prepare(desired))).isEqualTo(SyncResult.NONE);
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ACTIVE);
    assertProven(desired);
    assertThat(everything()).containsExactlyElementsOf(before);
  }

  @Test
  void followsChanges() {
    List<ServicePort> ports = new ArrayList<>(ports(12, 4));
    here(() -> dataplane.prepare(desired(ports)));
    run(dataplane::activate);
    ServicePort after = port(7, backends(4000, 5));
    ServicePort added = port(99, backends(5000, 2));
    ServicePort empty = port(5, List.of());
    here(
        () ->
            dataplane.apply(
                new Delta(
                    List.of(
                        new Change(ports.get(7), after),
                        new Change(null, added),
                        new Change(ports.get(5), empty)),
                    List.of(ports.get(8)))));
    assertThat(shell("ip", "-o", "addr", "show", "dev", "kube-ipvs0"))
        .contains("10.96.0.99/32")
        .doesNotContain("10.96.0.8/32");
    ports.set(7, after);
    ports.set(5, empty);
    ports.add(added);
    ports.remove(8);
    assertProven(desired(ports));
  }

  @Test
  void followsTheAddressesOfTheNode() {
    here(() -> dataplane.prepare(desired));
    run(() -> dataplane.applyNodePortAddresses(Set.of(Services.NODE_V6)));
    // Without an address of its family a node port stands where no packet goes.
    assertThat(shell("ipvsadm", "-Ln"))
        .containsPattern("TCP +0.0.0.0:30003 rr")
        .doesNotContain("198.51.100.7");
    assertProven(desired);
    run(() -> dataplane.applyNodePortAddresses(Services.NODE_ADDRESSES));
    assertThat(shell("ipvsadm", "-Ln"))
        .containsPattern("TCP +198.51.100.7:30003 rr")
        .doesNotContain("0.0.0.0:30003");
    assertProven(desired);
  }

  @Test
  void changesTheSchedulerInPlace() {
    here(() -> dataplane.prepare(desired));
    run(dataplane::activate);
    for (Scheduler scheduler : Scheduler.values()) {
      if (scheduler != Scheduler.RANDOM) {
        restart(scheduler);
        here(() -> dataplane.prepare(desired));
        assertThat(shell("ipvsadm", "-Ln"))
            .containsPattern("TCP +10.96.0.3:80 " + Schedulers.name(scheduler));
        assertProven(desired);
      }
    }
  }

  @Test
  void leavesVirtualServersOfOthersAlone() {
    shell("ipvsadm", "-A", "-t", "203.0.113.1:443", "-s", "wlc");
    shell("ipvsadm", "-a", "-t", "203.0.113.1:443", "-r", "192.0.2.1:443", "-g");
    shell("ipvsadm", "-A", "-f", "7", "-s", "rr");
    shell("ipvsadm", "-A", "-t", "10.96.0.4:80", "-s", "wlc");
    String foreign = shell("ipvsadm", "-Sn");
    SyncResult result = here(() -> dataplane.prepare(desired));
    assertThat(result.refused())
        .singleElement()
        .returns(NumberedServices.id(4), SyncResult.Refused::id)
        .matches(refused -> refused.reason().contains("TCP 10.96.0.4:80"));
    run(dataplane::activate);
    List<ServicePort> served = new ArrayList<>(ports(12, 4));
    served.remove(4);
    assertProven(desired(served));
    run(dataplane::remove);
    assertThat(shell("ipvsadm", "-Sn")).isEqualTo(foreign);
  }

  @Test
  void leavesRulesOfOthersAloneAlsoWhereTheyJumpToItsOwn() {
    for (String command :
        List.of(
            "iptables-legacy -t nat -N DOCKER",
            "iptables-legacy -t nat -A DOCKER -d 203.0.113.5/32 -j MARK --set-xmark 0x1/0x1")) {
      shell(command.split(" ", -1));
    }
    here(() -> dataplane.prepare(desired));
    run(dataplane::activate);
    List<String> foreign =
        List.of(
            "-A DOCKER -s 10.1.0.0/16 -j KUBE-MARK-MASQ",
            "-A MINE -d 10.2.0.0/16 -j KUBE-LOAD-BALANCER");
    shell("iptables-legacy", "-t", "nat", "-N", "MINE");
    for (String rule : foreign) {
      shell(("iptables-legacy -t nat " + rule).split(" ", -1));
    }
    long removable = here(() -> dataplane.holdings()).entries();
    assertThat(removable).isPositive();
    run(dataplane::remove);
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ABSENT);
    assertThat(shell("iptables-legacy-save").lines().toList())
        .containsAll(foreign)
        .contains("-A DOCKER -d 203.0.113.5/32 -j MARK --set-xmark 0x1/0x1")
        // What marks needs what masquerades by the mark, but no set of Services.
        .contains("-A KUBE-LOAD-BALANCER -j KUBE-MARK-MASQ")
        .contains("-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0")
        .noneMatch(line -> line.contains("--match-set") || line.contains("KUBE-SERVICES"));
    assertThat(shell("ipset", "list", "-n")).isBlank();
  }

  @Test
  void excludesRangesEvenAtItsOwnAddresses() {
    options = options.excluding(List.of(AddressRange.parse("10.96.7.0/24")));
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(desired));
    run(dataplane::activate);
    shell("ip", "addr", "add", "10.96.7.7/32", "dev", "kube-ipvs0");
    shell("ipvsadm", "-A", "-t", "10.96.7.7:80", "-s", "wlc");
    assertProven(desired);
    here(() -> dataplane.repair(desired));
    assertThat(shell("ipvsadm", "-Ln")).containsPattern("TCP +10.96.7.7:80 wlc");
    // Who takes IPVS away may come after the resource has ceased to name the range.
    options = options.excluding(List.of());
    restart(Scheduler.RR);
    run(dataplane::remove);
    assertThat(shell("ipvsadm", "-Ln")).containsPattern("TCP +10.96.7.7:80 wlc");
    assertThat(shell("ipset", "list", "-n")).isBlank();
  }

  /** As a kube-proxy in its nftables mode does, which then serves. */
  @Test
  void leavesNothingWhenTheDeviceIsDeletedWithItsNote() {
    here(() -> dataplane.prepare(desired));
    run(dataplane::activate);
    shell("ip", "link", "delete", "kube-ipvs0");
    shell("ipvsadm", "-C");
    run(dataplane::drain);
    run(dataplane::remove);
    assertThat(shell("iptables-save")).doesNotContain("POINTSMAN");
    assertThat(shell("ipset", "list", "-n")).doesNotContain("POINTSMAN");
    assertThat(setting("vs/conntrack")).isEqualTo("0");
  }

  /** By somebody's hand; the next agent has no note then, neither there nor by heart. */
  @Test
  void leavesNothingWhenOnlyTheDeviceIsDeleted() {
    shell("ipvsadm", "-A", "-t", "203.0.113.9:80", "-s", "wlc");
    String foreign = shell("ipvsadm", "-Sn");
    here(() -> dataplane.prepare(desired));
    run(dataplane::activate);
    shell("ip", "link", "delete", "kube-ipvs0");
    restart(Scheduler.RR);
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ABSENT);
    assertThat(shell("ipvsadm", "-Sn")).contains("10.96.0.3:80");
    assertThat(here(() -> dataplane.leftovers()))
        .contains("iptables-legacy: chain nat POINTSMAN-POSTROUTING", "ipset POINTSMAN-NODE-IPS");
    run(dataplane::remove);
    assertThat(here(() -> dataplane.leftovers())).isEmpty();
    assertThat(shell("ipvsadm", "-Sn")).isEqualTo(foreign);
    assertThat(shell("ipset", "list", "-n")).isBlank();
    assertThat(shell("iptables-legacy-save")).doesNotContain("POINTSMAN", "KUBE-SERVICES");
  }

  @Test
  void takesOtherSettingsInPlaceAndGoesBackToTheOld() {
    here(() -> dataplane.prepare(desired));
    run(dataplane::activate);
    String servers = shell("ipvsadm", "-Sn");
    IpvsOptions plain = options;
    var wanted =
        new DataplaneSettings.Ipvs(
            List.of(AddressRange.parse("203.0.113.0/24")), true, 1000, 0, 60);
    options = plain.as(wanted);
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(desired));
    assertProven(desired);
    assertThat(setting("conf/all/arp_ignore")).isEqualTo("1");
    assertThat(setting("conf/all/arp_announce")).isEqualTo("2");
    assertThat(shell("ipvsadm", "-L", "--timeout")).contains("1000 120 60");
    options = plain.as(new DataplaneSettings.Ipvs(List.of(), false, 1000, 0, 0));
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(desired));
    assertThat(setting("conf/all/arp_ignore")).isEqualTo("0");
    assertThat(shell("ipvsadm", "-L", "--timeout")).contains("1000 120 300");
    options = plain;
    restart(Scheduler.RR);
    here(() -> dataplane.prepare(desired));
    assertProven(desired);
    assertThat(shell("ipvsadm", "-L", "--timeout")).contains("900 120 300");
    assertThat(shell("ipvsadm", "-Sn")).as("the same servers all the time").isEqualTo(servers);
    assertThat(here(() -> dataplane.prepare(desired))).isEqualTo(SyncResult.NONE);
  }

  @Test
  void findsWhatIsInTheWayAndWhatBelongsToOthers() {
    node.ip("link", "add", "kube-ipvs0", "type", "veth", "peer", "name", "other");
    assertThat(here(() -> dataplane.preflight()).findings())
        .extracting(Preflight.Finding::reason)
        .containsExactly("DeviceTaken");
    node.ip("link", "del", "kube-ipvs0");
    shell("ipvsadm", "-A", "-t", "203.0.113.1:443", "-s", "wlc");
    assertThat(here(() -> dataplane.preflight()).findings())
        .singleElement()
        .returns("ForeignVirtualServers", Preflight.Finding::reason)
        .matches(finding -> finding.message().contains("TCP 203.0.113.1:443"));
  }

  @Test
  void saysWhatToDoFirst() {
    assertThatThrownBy(() -> here(() -> dataplane.apply(new Delta(List.of(), List.of()))))
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("prepare it first");
    assertThatThrownBy(() -> open(Scheduler.RANDOM))
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("scheduler random")
        .hasMessageContaining("choose rr");
  }
}
