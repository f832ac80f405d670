// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.NamedServers.askByDatagram;
import static io.pointsman.dataplane.ipvs.Services.frontend;
import static io.pointsman.dataplane.ipvs.Services.service;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.kernel.Conntrack;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Datagrams of one port, which conntrack sends where it has sent them before. */
public class IpvsStaleFlowsInside extends IpvsNetworkFixture {
  private static final int FROM = 4_710;
  private static final String NODE = "198.51.100.7";
  private static final int NODE_PORT = 30_080;
  private static final String GONE = PODS_V4.getFirst();

  @BeforeEach
  void forward() {
    shell("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
  }

  /** A rule translated the first one: the table nat comes before ip_vs, and knew of no change. */
  @ParameterizedTest
  @CsvSource({
    VIP_V4 + ", 80, false",
    VIP_V4 + ", 80, true",
    NODE + ", 30080, false",
    NODE + ", 30080, true"
  })
  void aFlowOfRulesMovesOnWhenItsPodIsNoEndpointAnyMore(String address, int port, boolean later) {
    String here = "iptables-legacy -t nat -%s %s";
    shell(here.formatted("N", "KUBE-SERVICES").split(" ", -1));
    String rule = "KUBE-SERVICES -p udp -d %s --dport %d -j DNAT --to-destination %s:8080";
    shell(here.formatted("A", rule.formatted(address, port, GONE)).split(" ", -1));
    shell(here.formatted("A", "PREROUTING -j KUBE-SERVICES").split(" ", -1));
    assertThat(ask(address, port)).isEqualTo(GONE);
    if (later) {
      activate(web(Protocol.UDP, 3));
      here(dataplane::maintain);
      assertThat(ask(address, port)).isEqualTo(GONE);
      Change change = new Change(web(Protocol.UDP, 3), fewer());
      here(() -> dataplane.apply(new Delta(List.of(change), List.of())));
    } else {
      activate(fewer());
      here(dataplane::maintain);
    }
    assertThat(ask(address, port)).isIn(PODS_V4.subList(1, 3));
  }

  /** Nothing but their answers' source tells that ip_vs translates them. */
  @Test
  void flowsOfVirtualServersStay() {
    activate(web(Protocol.UDP, 3));
    List<String> pods = askBoth();
    List<Integer> before = tracked();
    assertThat(before).hasSize(2);
    here(dataplane::maintain);
    assertThat(tracked()).isEqualTo(before);
    assertThat(askBoth()).isEqualTo(pods);
  }

  private String ask(String address, int port) {
    return askByDatagram(client, FROM, address, port).getFirst();
  }

  /** From two ports: ip_vs knows an answer by pod and client. */
  private List<String> askBoth() {
    String pod = askByDatagram(client, FROM + 1, NODE, NODE_PORT).getFirst();
    return List.of(ask(VIP_V4, 80), pod);
  }

  /** Without the first pod. */
  private static ServicePort fewer() {
    List<Backend> all = web(Protocol.UDP, 3).backends();
    return service(
        "web",
        Protocol.UDP,
        List.of(
            frontend(VIP_V4, 80, Protocol.UDP, FrontendKind.CLUSTER_IP),
            frontend("0.0.0.0", NODE_PORT, Protocol.UDP, FrontendKind.NODE_PORT)),
        all.subList(1, 3).toArray(Backend[]::new));
  }

  /** The kernel's names of the client's flows. */
  private List<Integer> tracked() {
    return here(
        () -> {
          try (Conntrack conntrack = new Conntrack()) {
            return conntrack.read(flow -> flow.original().sourcePort() / 2 == FROM / 2).stream()
                .map(Conntrack.Flow::id)
                .sorted()
                .toList();
          }
        });
  }
}
