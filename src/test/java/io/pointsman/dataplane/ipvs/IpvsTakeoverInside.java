// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.NamedServers.askByDatagram;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.ipvs.NamedServers.Connection;
import io.pointsman.kernel.KernelSandbox;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** On nodes that a kube-proxy serves, or served: the names are the same, the traffic goes on. */
public class IpvsTakeoverInside extends IpvsNetworkFixture {
  /** What kube-proxy has in its iptables mode when it does not know the cluster's ranges. */
  private static final String KUBE_PROXY =
      """
      *nat
      :KUBE-SERVICES - [0:0]
      :KUBE-SVC-A - [0:0]
      :KUBE-POSTROUTING - [0:0]
      :KUBE-MARK-MASQ - [0:0]
      -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m tcp --dport 80 -j KUBE-SVC-A
      -A KUBE-SVC-A -p tcp -m tcp -j DNAT --to-destination 10.244.0.10:8080
      -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
      -A KUBE-POSTROUTING -j MASQUERADE
      -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
      COMMIT
      """;

  private static final String JUMPS =
      """
      *nat
      -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
      COMMIT
      """;

  private final ServicePort web = web(Protocol.TCP, 3);

  @Test
  void takesOverFromKubeProxyAndGivesBackWithoutALostConnection() throws IOException {
    restore(KUBE_PROXY + JUMPS);
    shell("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
    try (Connection before = new Connection(client, VIP_V4, 80)) {
      before.ask("one");
      activate(web);
      assertThat(before.ask("two").getFirst()).isEqualTo(PODS_V4.getFirst());
      assertThat(throughVirtualServers()).isZero();
      try (Connection during = new Connection(client, VIP_V4, 80)) {
        String pod = during.ask("one").getFirst();
        assertThat(throughVirtualServers()).isOne();
        // kube-proxy is back, and writes its own.
        restore(KUBE_PROXY);
        assertThat(here(() -> dataplane.drain()).flows()).isZero();
        for (var from : List.of(client, node)) {
          try (Connection back = new Connection(from, VIP_V4, 80)) {
            // The node's own must not leave with the service's address, though that is local still.
            String seen = from == node ? "10.244.0.1" : "198.51.100.1";
            assertThat(back.ask("one")).startsWith(PODS_V4.getFirst(), seen);
          }
        }
        assertThat(throughVirtualServers()).isZero();
        assertThat(during.ask("two").getFirst()).isEqualTo(pod);
        assertThat(before.ask("three").getFirst()).isEqualTo(PODS_V4.getFirst());
      }
      run(dataplane::remove);
      assertThat(before.ask("four").getFirst()).isEqualTo(PODS_V4.getFirst());
    }
    try (Connection after = new Connection(client, VIP_V4, 80)) {
      assertThat(after.ask("one").getFirst()).isEqualTo(PODS_V4.getFirst());
    }
    assertThat(shell("iptables-legacy-save", "-t", "nat"))
        .contains("KUBE-SVC-A")
        .doesNotContain("POINTSMAN", "KUBE-NODE-PORT", "--match-set");
    assertThat(shell("ipset", "list", "-n")).isBlank();
  }

  /** Connections of either family, a masqueraded one, and datagrams of one port. */
  private static final class Flows implements AutoCloseable {
    static final int DATAGRAM_PORT = 4_711;
    private final KernelSandbox client;
    private final List<Connection> connections = new ArrayList<>();

    Flows(KernelSandbox client) throws IOException {
      this.client = client;
      connections.add(new Connection(client, VIP_V4, 80));
      connections.add(new Connection(client, VIP_V6, 80));
      connections.add(new Connection(client, Services.NODE_V4.toString(), 30_080));
    }

    /** Who answers each, and whom they saw; the datagram's comes last. */
    List<List<String>> ask() throws IOException {
      List<List<String>> answers = IpvsTakeoverInside.ask(connections.toArray(Connection[]::new));
      answers.add(askByDatagram(client, DATAGRAM_PORT, VIP_V4, 80));
      return answers;
    }

    @Override
    public void close() throws IOException {
      for (Connection connection : connections) {
        connection.close();
      }
    }
  }

  /** No rule is for them afterwards: conntrack alone has them, as ip_vs had. */
  @Test
  void handsItsFlowsOverToConntrackWhenItGoes() throws IOException {
    shell("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
    for (String tool : List.of("iptables-legacy", "ip6tables-legacy")) {
      // The kernel looks into conntrack only while some rule asks for it.
      shell(tool, "-A", "FORWARD", "-m", "conntrack", "--ctstate", "ESTABLISHED", "-j", "ACCEPT");
    }
    activate(web(Protocol.TCP, 3), web6(Protocol.TCP), web(Protocol.UDP, 3));
    try (Flows flows = new Flows(client)) {
      List<List<String>> before = flows.ask();
      assertThat(here(() -> dataplane.drain()).flows()).isZero();
      assertThat(throughVirtualServers()).isZero();
      run(dataplane::remove);
      assertThat(flows.ask()).isEqualTo(before);
      // BPF sends sockets' flows to their backend: ip_vs took an answer for one of its own flow.
      String backend = before.getLast().getFirst();
      assertThat(askByDatagram(client, Flows.DATAGRAM_PORT, backend, 8_080).getFirst())
          .isEqualTo(backend);
    }
    assertThat(shell("iptables-legacy-save") + shell("ip6tables-legacy-save"))
        .doesNotContain("POINTSMAN");
    assertThat(shell("ipset", "list", "-n")).isBlank();
  }

  /** A kube-proxy in nftables mode deletes the virtual servers as it starts. */
  @Test
  void handsItsFlowsOverAndServesOn() throws IOException {
    shell("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
    List<ServicePort> ports =
        List.of(web(Protocol.TCP, 3), web6(Protocol.TCP), web(Protocol.UDP, 3));
    activate(ports.toArray(ServicePort[]::new));
    try (Flows flows = new Flows(client)) {
      List<List<String>> before = flows.ask();
      run(dataplane::handOverFlows);
      assertThat(throughVirtualServers()).isZero();
      KernelState held = here(dataplane::read);
      assertThat(held.defects()).isEmpty();
      assertThat(held.digest()).isEqualTo(Services.desired(ports).digest());
      shell("ipvsadm", "-C");
      shell("ip", "link", "delete", IpvsDataplane.DEVICE);
      assertThat(flows.ask()).isEqualTo(before);
    }
  }

  @Test
  void waitsForConnectionsThatNobodyElseCanHave() throws IOException {
    activate(web, web6(Protocol.TCP));
    try (Connection movable = new Connection(client, VIP_V6, 80);
        Connection ofNode = new Connection(node, VIP_V4, 80)) {
      List<List<String>> before = ask(movable, ofNode);
      shell("sysctl", "-q", "-w", "net.ipv4.vs.conntrack=0");
      try (Connection unknown = new Connection(client, VIP_V4, 80)) {
        before.add(unknown.ask("hello"));
        assertThat(here(() -> dataplane.drain())).isEqualTo(new DrainState(2, true));
        assertThat(ask(movable, ofNode, unknown)).isEqualTo(before);
      }
    }
    assertThat(shell("ipvsadm", "-Ln")).contains(VIP_V4).doesNotContain(VIP_V6);
  }

  private static List<List<String>> ask(Connection... connections) throws IOException {
    List<List<String>> answers = new ArrayList<>();
    for (Connection connection : connections) {
      answers.add(connection.ask("hello"));
    }
    return answers;
  }

  /** Rules that follow do not take it to another server. */
  @Test
  void aDatagramFlowKeepsItsServer() throws IOException {
    shell("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
    activate(web(Protocol.UDP, 3));
    // Ports until one is served by another than the only one of the rules.
    int port = 4_711;
    while (askByDatagram(client, port, VIP_V4, 80).getFirst().equals(PODS_V4.getFirst())) {
      port++;
    }
    String served = askByDatagram(client, port, VIP_V4, 80).getFirst();
    restore((KUBE_PROXY + JUMPS).replace("tcp", "udp"));
    assertThat(here(() -> dataplane.drain()).flows()).isZero();
    run(dataplane::remove);
    assertThat(askByDatagram(client, port, VIP_V4, 80).getFirst()).isEqualTo(served);
    assertThat(askByDatagram(client, 4_700, VIP_V4, 80).getFirst()).isEqualTo(PODS_V4.getFirst());
  }

  @Test
  void goesOnWithWhatKubeProxyHasInItsIpvsModeAndLeavesItThere() throws IOException {
    for (String command :
        List.of(
            "ip link add kube-ipvs0 type dummy",
            "ip addr add 10.96.0.10/32 dev kube-ipvs0",
            "ip addr add 10.96.0.77/32 dev kube-ipvs0",
            "ipvsadm -A -t 10.96.0.10:80 -s lc",
            "ipvsadm -a -t 10.96.0.10:80 -r 10.244.0.10:8080 -m",
            "ipvsadm -A -t 10.96.0.77:80 -s rr",
            "ipset create KUBE-CLUSTER-IP hash:ip,port",
            "ipset create KUBE-HEALTH-CHECK-NODE-PORT bitmap:port range 0-65535",
            "ipset add KUBE-CLUSTER-IP 10.96.0.10,tcp:80",
            "sysctl -q -w net.ipv4.ip_forward=1",
            "iptables-legacy -t filter -N KUBE-NODE-PORT",
            "iptables-legacy -t filter -A KUBE-NODE-PORT -j ACCEPT")) { // a sync has ended
      shell(command.split(" ", -1));
    }
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ABSENT);
    try (Connection held = new Connection(client, VIP_V4, 80)) {
      held.ask("one");
      activate(web);
      assertThat(shell("ipvsadm", "-Ln")).doesNotContain("10.96.0.77");
      assertThat(shell("ip", "addr", "show", "kube-ipvs0"))
          .contains("10.96.0.10/32")
          .doesNotContain("10.96.0.77");
      assertThat(held.ask("two").getFirst()).isEqualTo(PODS_V4.getFirst());
      assertThat(here(() -> dataplane.drain()).flows()).isZero();
      run(dataplane::remove);
      assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ABSENT);
      assertThat(held.ask("three").getFirst()).isEqualTo(PODS_V4.getFirst());
    }
    assertThat(shell("ipvsadm", "-Ln")).containsPattern("TCP +10.96.0.10:80 rr\n.*Masq +1 ");
    assertThat(shell("iptables-legacy-save") + shell("ipset", "list", "-n"))
        .contains("KUBE-SERVICES", "KUBE-CLUSTER-IP")
        .doesNotContain("POINTSMAN");
    try (Connection after = new Connection(client, VIP_V4, 80)) {
      assertThat(PODS_V4).contains(after.ask("one").getFirst());
    }
  }

  /** Also at addresses that are not to answer on node ports any more. */
  @Test
  void takesOverNodePortsWhereverKubeProxyHasThem() throws IOException {
    for (String command :
        List.of(
            "ip link add kube-ipvs0 type dummy",
            "ipset create KUBE-NODE-PORT-TCP bitmap:port range 0-65535",
            "ipset add KUBE-NODE-PORT-TCP 30080",
            "ip addr add 10.244.1.1/32 dev lo",
            "ipvsadm -A -t 10.244.1.1:30080 -s rr",
            "ipvsadm -A -t 10.244.1.1:8443 -s rr")) {
      shell(command.split(" ", -1));
    }
    assertThat(here(dataplane::preflight).findings())
        .extracting(Finding::message)
        .contains("Virtual servers of others stay untouched: TCP 10.244.1.1:8443.");
    run(() -> dataplane.prepare(Services.desired(List.of(web))));
    assertThat(shell("ipvsadm", "-Ln"))
        .contains("10.244.1.1:8443")
        .doesNotContain("10.244.1.1:30080");
  }

  /** A kube-proxy that has no rules where Pointsman writes its own still serves by the device. */
  @Test
  void leavesWhatItFoundWhenItGoesBeforeItHasServed() throws IOException {
    for (String command :
        List.of(
            "ip link add kube-ipvs0 type dummy",
            "ip addr add 10.96.0.10/32 dev kube-ipvs0",
            "ipvsadm -A -t 10.96.0.10:80 -s rr",
            "ipvsadm -a -t 10.96.0.10:80 -r 10.244.0.10:8080 -m",
            "sysctl -q -w net.ipv4.ip_forward=1")) {
      shell(command.split(" ", -1));
    }
    run(() -> dataplane.prepare(Services.desired(List.of(web))));
    run(dataplane::remove);
    assertThat(here(() -> dataplane.phase())).isEqualTo(Phase.ABSENT);
    assertThat(shell("iptables-legacy-save")).doesNotContain("POINTSMAN");
    try (Connection after = new Connection(client, VIP_V4, 80)) {
      assertThat(PODS_V4).contains(after.ask("one").getFirst());
    }
  }

  /** Connections that ip_vs knows, ended ones included. */
  private long throughVirtualServers() {
    return shell("cat", "/proc/net/ip_vs_conn").lines().skip(1).count();
  }

  private void restore(String rules) throws IOException {
    Path file = Files.createTempFile("rules", "");
    Files.writeString(file, rules);
    shell("iptables-legacy-restore", "--noflush", file.toString());
    Files.delete(file);
  }
}
