// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.ipvs.Ownership.Owner;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.kernel.IpvsConnections;
import io.pointsman.kernel.VirtualServer;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What is read from the kernel's texts and decided from it, without a kernel that has ip_vs. */
class IpvsReadingTest {
  @TempDir Path folder;

  @Test
  void countsConnectionsThatMayStillBeUsed() {
    Stream<String> lines =
        Stream.of(
            "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData",
            "TCP C6336401 9C40 0A60000A 0050 0AF4000B 1F90 ESTABLISHED     899",
            "TCP C6336401 9C41 0A60000A 0050 0AF4000B 1F90 TIME_WAIT       100",
            "TCP C6336401 9C42 0A60000A 0050 0AF4000B 1F90 FIN_WAIT        100",
            "TCP C6336401 9C43 0A60000B 0050 0AF4000B 1F90 ESTABLISHED     899",
            "UDP C6336401 9C40 0A60000A 0035 0AF4000B 1F90 UDP             299",
            "TCP C6336401 0000 0A60000A 0050 0AF4000B 1F90 NONE            299",
            "TCP 2001:0db8:0007:0000:0000:0000:0000:0001 9C44"
                + " fd00:0010:0096:0000:0000:0000:0000:000a 0050"
                + " fd00:0244:0000:0000:0000:0000:0000:0010 1F90 ESTABLISHED     899");
    Set<InetAddress> ours =
        Set.of(InetAddress.ofLiteral("10.96.0.10"), InetAddress.ofLiteral("fd00:10:96::a"));
    assertThat(
            FlowCounter.count(
                IpvsConnections.parse(lines), server -> ours.contains(server.address())))
        .isEqualTo(4);
  }

  /** Virtual servers of keepalived's or another's lose nothing when kube-proxy goes. */
  @Test
  void countsConnectionsThroughKubeProxysServersOnly() {
    List<KubeProxyFrontend> frontends = new ArrayList<>();
    for (String address : List.of("10.96.0.10", "fd00:10:96::a")) {
      frontends.add(
          new KubeProxyFrontend(
              Address.parse(address), 80, 6, "", false, List.of(), List.of(), List.of()));
    }
    frontends.add(
        new KubeProxyFrontend(
            Address.ANY_V4, 30_080, 6, "", false, List.of(), List.of(), List.of()));
    Stream<String> lines =
        Stream.of(
            "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData",
            "TCP C6336401 9C40 0A60000A 0050 0AF4000B 1F90 ESTABLISHED     899",
            "TCP C6336401 9C41 0A60000A 0051 0AF4000B 1F90 ESTABLISHED     899",
            "TCP C6336401 9C42 0A60000B 0050 0AF4000B 1F90 ESTABLISHED     899",
            "UDP C6336401 9C43 0A60000A 0050 0AF4000B 1F90 UDP             299",
            "TCP C6336401 9C45 C6336407 7580 0AF4000B 1F90 ESTABLISHED     899",
            "TCP C6336401 9C46 C6336407 7581 0AF4000B 1F90 ESTABLISHED     899",
            "TCP 2001:0db8:0007:0000:0000:0000:0000:0001 9C44"
                + " fd00:0010:0096:0000:0000:0000:0000:000a 0050"
                + " fd00:0244:0000:0000:0000:0000:0000:0010 1F90 ESTABLISHED     899");
    assertThat(FlowCounter.count(IpvsConnections.parse(lines), KubeProxyServers.of(frontends)))
        .as("by both cluster addresses and by the node port")
        .isEqualTo(3);
  }

  @Test
  void readsTotals() {
    assertThat(
            Counters.parse(
                List.of(
                    "   Total Incoming Outgoing         Incoming         Outgoing",
                    "   Conns  Packets  Packets            Bytes            Bytes",
                    "      1A       FF        0             1000                0")))
        .containsEntry("connections", 26L)
        .containsEntry("packets_in", 255L)
        .containsEntry("bytes_in", 4096L);
    assertThat(Counters.parse(List.of())).isEmpty();
  }

  @Test
  void keepsANoteInAnAlias() {
    Note note =
        new Note(Phase.DRAINING, true, Map.of("vs/conntrack", "0", "timeouts", "900,120,300"));
    assertThat(note).hasToString("pointsman draining found timeouts=900,120,300 vs/conntrack=0");
    assertThat(Note.parse(note.toString())).isEqualTo(note);
    assertThat(Note.parse("pointsman active vs/conntrack=0").found()).isFalse();
    assertThat(Note.parse("")).isEqualTo(Note.NONE);
    assertThat(Note.parse("somebody else's")).isEqualTo(Note.NONE);
    assertThat(Note.parse("pointsman scribbled").phase()).isEqualTo(Phase.PREPARED);
  }

  @ParameterizedTest
  @CsvSource({
    "10.244.1.7/16, 10.244.0.0/16, 10.244.255.1, 10.245.0.1",
    "192.0.2.1, 192.0.2.1/32, 192.0.2.1, 192.0.2.2",
    "0.0.0.0/0, 0.0.0.0/0, 203.0.113.1, fd00::1",
    "fd00:244::5/64, fd00:244::/64, fd00:244::9, fd00:244:0:1::9",
  })
  void readsRanges(String text, String written, String inside, String outside) {
    AddressRange range = AddressRange.parse(text);
    assertThat(AddressRange.parse(range.toString())).hasToString(range.toString());
    assertThat(AddressRange.parse(written)).hasToString(range.toString());
    assertThat(range.contains(Address.parse(inside))).isTrue();
    assertThat(range.contains(Address.parse(outside))).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "10.96.7.5/24, 10.96.7.0/24",
    "fd00::7, fd00::7/128",
    "0.0.0.0/0, 0.0.0.0/1 128.0.0.0/1",
    "::/0, ::/1 8000::/1"
  })
  void writesRangesAsSetsHaveThem(String range, String entries) {
    List<SetEntry> found = new ArrayList<>();
    SetEntry.forEach(AddressRange.parse(range), found::add);
    assertThat(found).extracting(SetEntry::text).containsExactly(entries.split(" "));
    for (SetEntry entry : found) {
      assertThat(SetEntry.parse(entry.set(), entry.family(), entry.text())).isEqualTo(entry);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "10.0.0/8", "fd00::/129"})
  void refusesWhatIsNoRange(String text) {
    assertThatThrownBy(() -> AddressRange.parse(text)).hasMessageContaining(text.split("/")[0]);
  }

  @ParameterizedTest
  @CsvSource({
    "10.96.0.1, 80, FRONTEND", // in a set
    "10.96.0.1, 81, FRONTEND", // at an address of the device: stale, but ours
    "203.0.113.9, 443, FRONTEND", // in a set of external addresses, at an address of the host
    "203.0.113.9, 444, ''",
    "203.0.113.51, 8080, FRONTEND", // in kube-proxy's set of those with a Local policy
    "203.0.113.51, 8081, ''",
    "198.51.100.7, 30080, FRONTEND NODE_PORT", // the node's address is a load balancer's, too
    "198.51.100.7, 31111, NODE_PORT", // written before, and its port has gone from the set
    "198.51.100.7, 32767, ''", // the range of node ports is open to others
    "198.51.100.7, 443, ''",
    "192.0.2.1, 30080, ''",
    "0.0.0.0, 30080, NODE_PORT",
    "10.244.1.1, 30080, NODE_PORT", // a kube-proxy's, at an address that is not wanted
    "10.244.1.1, 32767, ''",
    "10.96.7.7, 80, ''" // excluded
  })
  void tellsOursFromOthers(String address, int port, String owners) {
    Ownership ownership =
        new Ownership(
            IpvsOptions.defaults().excluding(List.of(AddressRange.parse("10.96.7.0/24"))),
            new IpSets.Read(
                Set.of(
                    new SetEntry(SetName.CLUSTER_IP, IpFamily.IPV4, "10.96.0.1,tcp:80"),
                    new SetEntry(SetName.EXTERNAL_IP, IpFamily.IPV4, "203.0.113.9,tcp:443"),
                    new SetEntry(SetName.LOAD_BALANCER, IpFamily.IPV4, "198.51.100.7,tcp:30080"),
                    new SetEntry(SetName.NODE_PORT_TCP, IpFamily.IPV4, "30080"),
                    new SetEntry(SetName.NODE_ADDRESSES, IpFamily.IPV4, "198.51.100.7")),
                Map.of(),
                Set.of(),
                Set.of(new SetEntry(SetName.EXTERNAL_IP, IpFamily.IPV4, "203.0.113.51,tcp:8080"))),
            List.of(InetAddress.ofLiteral("10.96.0.1"), InetAddress.ofLiteral("10.96.7.7")),
            Set.of(Address.parse("10.244.1.1")),
            Set.of(new VirtualServer(InetAddress.ofLiteral("198.51.100.7"), 31111, 6)));
    var server = new VirtualServer(InetAddress.ofLiteral(address), port, 6);
    assertThat(ownership.of(server).stream().map(Owner::name).sorted())
        .containsExactlyElementsOf(
            Stream.of(owners.split(" ", 0)).filter(it -> !it.isEmpty()).toList());
  }

  @Test
  void findsModulesLoadedBuiltInAndLoadable() throws IOException {
    Path loaded = folder.resolve("sys");
    Files.createDirectories(loaded.resolve("ip_vs_rr"));
    Path lists = Files.createDirectory(folder.resolve("lib"));
    Modules modules = new Modules(loaded, lists);
    assertThat(modules.state("ip_vs_rr")).isEqualTo(Modules.State.PRESENT);
    assertThat(modules.state("ip_vs_lc")).isEqualTo(Modules.State.UNKNOWN);
    Files.writeString(lists.resolve("modules.builtin"), "kernel/net/ip_vs_wrr.ko\n");
    Files.writeString(
        lists.resolve("modules.dep"), "kernel/net/ip_vs_lc.ko.xz: kernel/net/ip_vs.ko.xz\n");
    assertThat(modules.state("ip_vs_wrr")).isEqualTo(Modules.State.PRESENT);
    assertThat(modules.state("ip_vs_lc")).isEqualTo(Modules.State.LOADABLE);
    assertThat(modules.state("ip_vs_mh")).isEqualTo(Modules.State.MISSING);
  }

  @Test
  void saysExactlyWhenTheKernelHasNoIpvs() {
    Preflight preflight =
        new IpvsDataplane(
                IpvsOptions.defaults(), new DataplaneSettings(Scheduler.RR, 30_000, 32_767))
            .preflight();
    List<Finding> missing =
        preflight.findings().stream().filter(f -> f.reason().equals("IpvsMissing")).toList();
    if (Files.exists(Path.of("/proc/net/ip_vs"))) {
      assertThat(missing).isEmpty();
    } else {
      assertThat(preflight.passed()).isFalse();
      assertThat(missing)
          .singleElement()
          .matches(f -> f.message().endsWith(" of this node has no ip_vs."))
          .matches(f -> f.remedy().contains("ip_vs") || f.remedy().contains("CONFIG_IP_VS"));
    }
  }
}
