// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.NamedServers.askByDatagram;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.ipvs.NamedServers.Connection;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.IpvsConnections;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Flows of a kube-proxy in its ipvs mode when BPF takes new ones while it is still there. */
public class KubeProxyHandoverInside extends IpvsNetworkFixture {
  private static final int PORT = 4_711;

  private final KubeProxyServers servers = new KubeProxyServers(IpvsOptions.defaults());
  private final AtomicInteger taken = new AtomicInteger();

  @BeforeEach
  void beKubeProxy() {
    for (String command :
        List.of(
            "ip link add kube-ipvs0 type dummy",
            "ip addr add 10.96.0.10/32 dev kube-ipvs0",
            "ipvsadm -A -t 10.96.0.10:80 -s wrr -p 600",
            "ipvsadm -a -t 10.96.0.10:80 -r 10.244.0.10:8080 -m",
            "ipvsadm -a -t 10.96.0.10:80 -r 10.244.0.11:8080 -m -w 0",
            "ipvsadm -A -u 10.96.0.10:80 -s sh -b sh-port",
            "ipvsadm -a -u 10.96.0.10:80 -r 10.244.0.12:8080 -m",
            "ipvsadm -A -t 192.0.2.7:80 -s rr", // keepalived's
            "ipset create KUBE-CLUSTER-IP hash:ip,port",
            "ipset add KUBE-CLUSTER-IP 10.96.0.10,tcp:80",
            "ipset add KUBE-CLUSTER-IP 10.96.0.10,udp:80",
            "iptables-legacy -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT",
            "iptables-legacy -t nat -A POSTROUTING -s 10.96.0.10 -j MASQUERADE",
            "sysctl -q -w net.ipv4.ip_forward=1",
            "sysctl -q -w net.ipv4.vs.conntrack=1",
            "sysctl -q -w net.ipv4.vs.expire_nodest_conn=1")) {
      shell(command.split(" ", -1));
    }
  }

  @Test
  void goOnAndItsServersAreAsBefore() throws IOException {
    String before = shell("ipvsadm", "-Sn");
    try (Connection held = new Connection(client, VIP_V4, 80)) {
      held.ask("one");
      new Connection(client, VIP_V4, 80).close(); // ended, and remembered
      String pod = askByDatagram(client, PORT, VIP_V4, 80).getFirst();
      assertThat(askByDatagram(node, PORT, VIP_V4, 80).getFirst()).isEqualTo(pod);
      run(() -> servers.handOverAfter(taken::incrementAndGet));
      assertThat(here(IpvsConnections::read)).isEmpty();
      assertThat(shell("ipvsadm", "-Sn")).isEqualTo(before);
      assertThat(held.ask("two").getFirst()).isEqualTo(PODS_V4.getFirst());
      assertThat(askByDatagram(client, PORT, VIP_V4, 80).getFirst()).isEqualTo(pod);
      // BPF sends sockets' flows to their backend: ip_vs took an answer for one of its own flow.
      assertThat(askByDatagram(client, PORT, pod, 8_080).getFirst()).isEqualTo(pod);
      assertThat(askByDatagram(node, PORT, pod, 8_080).getFirst()).isEqualTo(pod);
      run(() -> servers.handOverAfter(taken::incrementAndGet));
      assertThat(shell("ipvsadm", "-Sn")).isEqualTo(before);
    }
    assertThat(taken).hasValue(2);
    assertNothingIsHeld();
  }

  /** Its address would go with the device as soon as kube-proxy has left. */
  @Test
  void stayWhereTheyAreWhereTheyBeganOnTheNode() throws IOException {
    try (Connection ofNode = new Connection(node, VIP_V4, 80)) {
      ofNode.ask("one");
      run(() -> servers.handOverAfter(taken::incrementAndGet));
      assertThat(here(IpvsConnections::read)).hasSize(1);
      assertThat(ofNode.ask("two").getFirst()).isEqualTo(PODS_V4.getFirst());
    }
    assertNothingIsHeld();
  }

  @Test
  void stayWhereTheyAreWhenNobodyTakesNewOnes() throws IOException {
    try (Connection held = new Connection(client, VIP_V4, 80)) {
      held.ask("one");
      Runnable fails =
          () -> {
            throw new DataplaneException("refused", null);
          };
      assertThatThrownBy(() -> run(() -> servers.handOverAfter(fails)))
          .hasStackTraceContaining("refused");
      assertThat(here(IpvsConnections::read)).hasSize(1);
      assertThat(held.ask("two").getFirst()).isEqualTo(PODS_V4.getFirst());
    }
    assertNothingIsHeld();
  }

  /** Their packets were dropped until something was handed over the next time. */
  @Test
  void areLetGoOfByTheNextAgentWhenOneWasKilled() throws IOException {
    try (Connection held = new Connection(client, VIP_V4, 80)) {
      held.ask("one");
      run(
          () -> {
            IpvsOptions options = IpvsOptions.defaults();
            IpSets sets = new IpSets(new CommandRunner(), List.of(IpFamily.values()));
            try (Conntrack conntrack = new Conntrack()) {
              new Held(RulePlaces.find(options), sets)
                  .add(conntrack.read(flow -> flow.original().destinationPort() == 80));
            }
          });
      assertThat(shell("iptables-legacy-save", "-t", "mangle")).contains("POINTSMAN-HOLD");
      assertThat(shell("ipset", "list", "POINTSMAN-HELD")).contains("198.51.100.1,tcp:");
      run(() -> IpvsDataplane.letGo(IpvsOptions.defaults()));
      assertThat(held.ask("two").getFirst()).isEqualTo(PODS_V4.getFirst());
    }
    assertNothingIsHeld();
  }

  private void assertNothingIsHeld() {
    assertThat(shell("iptables-legacy-save") + shell("ipset", "list", "-n"))
        .doesNotContain("POINTSMAN");
  }
}
