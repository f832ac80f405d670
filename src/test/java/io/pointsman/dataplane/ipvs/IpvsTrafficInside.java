// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.NamedServers.askByDatagram;
import static io.pointsman.dataplane.ipvs.Services.desired;
import static io.pointsman.dataplane.ipvs.Services.frontend;
import static io.pointsman.dataplane.ipvs.Services.service;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.ipvs.NamedServers.Connection;
import java.io.IOException;
import java.net.ConnectException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Real connections of a client outside, of a pod and of the node itself. */
public class IpvsTrafficInside extends IpvsNetworkFixture {
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "RANDOM")
  void servesBothFamiliesAndProtocolsWith(Scheduler scheduler) throws IOException {
    restart(scheduler);
    activate(web(Protocol.TCP, 3), web6(Protocol.TCP), web(Protocol.UDP, 3), web6(Protocol.UDP));
    for (String vip : List.of(VIP_V4, VIP_V6)) {
      assertThat(serversOfThree(vip).size()).isIn(serverCounts(scheduler));
      Map<String, Integer> answered = new HashMap<>();
      for (int i = 0; i < 6; i++) {
        try (Connection connection = new Connection(client, vip, 80)) {
          answered.merge(connection.ask("one").getFirst(), 1, Integer::sum);
          connection.ask("two");
        }
        assertThat(pods(vip)).contains(askByDatagram(client, vip, 80).getFirst());
      }
      assertThat(pods(vip)).containsAll(answered.keySet());
      if (scheduler == Scheduler.RR || scheduler == Scheduler.WRR) {
        assertThat(answered).hasSize(3).containsValue(2);
      } else if (scheduler == Scheduler.SH || scheduler == Scheduler.DH) {
        assertThat(answered).as("one client, one destination").hasSize(1);
      }
    }
  }

  /** How many servers of one weight three connections of one client may have, open together. */
  private static Set<Integer> serverCounts(Scheduler scheduler) {
    return switch (scheduler) {
      case RR, WRR, LC, WLC, SED, NQ -> Set.of(3);
      // One that has more than its weight is left for another.
      case LBLC, LBLCR, OVF -> Set.of(2);
      case SH, DH, FO -> Set.of(1);
      // By the client's port, too.
      case MH -> Set.of(1, 2, 3);
      case RANDOM -> throw new IllegalArgumentException("ip_vs has no scheduler random");
    };
  }

  private Set<String> serversOfThree(String vip) throws IOException {
    Set<String> servers = new HashSet<>();
    List<Connection> open = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        open.add(new Connection(client, vip, 80));
        // Schedulers count only what is established.
        servers.add(open.getLast().ask("held").getFirst());
      }
    } finally {
      for (Connection each : open) {
        each.close();
      }
    }
    return servers;
  }

  @Test
  void letsARealServerGoWhenItsLastConnectionHasEnded() throws IOException {
    ServicePort three = web(Protocol.TCP, 3);
    ServicePort two = web(Protocol.TCP, 2);
    activate(three);
    String leaving = PODS_V4.get(2);
    try (Connection held = connectTo(leaving)) {
      here(() -> dataplane.apply(new Delta(List.of(new Change(three, two)), List.of())));
      assertProven(desired(List.of(two)));
      assertThat(shell("ipvsadm", "-Ln")).containsPattern("-> " + leaving + ":8080 +Masq +0 +1 ");
      for (int i = 0; i < 6; i++) {
        try (Connection other = new Connection(client, VIP_V4, 80)) {
          assertThat(other.ask("hello").getFirst()).isNotEqualTo(leaving);
        }
      }
      here(() -> dataplane.maintain());
      assertThat(held.ask("still").getFirst()).isEqualTo(leaving);
    }
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              here(() -> dataplane.maintain());
              return !shell("ipvsadm", "-Ln").contains(leaving);
            });
  }

  @Test
  void takesBackWhatWasLeavingAndDropsUdpAtOnce() throws IOException {
    ServicePort three = web(Protocol.TCP, 3);
    ServicePort two = web(Protocol.TCP, 2);
    ServicePort udp = web(Protocol.UDP, 3);
    activate(three, udp);
    String leaving = PODS_V4.get(2);
    for (int i = 0; i < 3; i++) {
      askByDatagram(client, VIP_V4, 80);
    }
    try (Connection held = connectTo(leaving)) {
      ServicePort fewer = web(Protocol.UDP, 2);
      here(
          () ->
              dataplane.apply(
                  new Delta(List.of(new Change(three, two), new Change(udp, fewer)), List.of())));
      assertThat(shell("ipvsadm", "-Ln", "-u", VIP_V4 + ":80")).doesNotContain(leaving);
      restart(Scheduler.RR);
      here(() -> dataplane.prepare(desired(List.of(two, fewer))));
      here(() -> dataplane.apply(new Delta(List.of(new Change(two, three)), List.of())));
      assertThat(shell("ipvsadm", "-Ln")).containsPattern("-> " + leaving + ":8080 +Masq +1 +1 ");
      assertThat(held.ask("still").getFirst()).isEqualTo(leaving);
    }
    assertThat(askByDatagram(client, VIP_V4, 80).getFirst()).isNotEqualTo(leaving);
  }

  @Test
  void keepsConnectionsWhenTheSchedulerChangesAndWhileItDrains() throws IOException {
    activate(web(Protocol.TCP, 3));
    try (Connection held = new Connection(client, VIP_V4, 80)) {
      String pod = held.ask("one").getFirst();
      restart(Scheduler.LC);
      here(() -> dataplane.prepare(desired(List.of(web(Protocol.TCP, 3)))));
      assertThat(held.ask("two").getFirst()).isEqualTo(pod);
      assertThat(here(() -> dataplane.drain()).flows()).isZero();
      assertThat(held.ask("three").getFirst()).isEqualTo(pod);
    }
    run(dataplane::remove);
    assertThat(shell("ipvsadm", "-Ln")).doesNotContain(VIP_V4);
  }

  @Test
  void servesNodePortsAndTheNodeItself() throws IOException {
    activate(web(Protocol.TCP, 3), web6(Protocol.TCP), web(Protocol.UDP, 3));
    try (Connection outside = new Connection(client, Services.NODE_V4.toString(), 30_080)) {
      // Masqueraded, so that the answer of a pod elsewhere comes back this way.
      assertThat(outside.ask("hello").get(1)).isEqualTo("10.244.0.1");
    }
    try (Connection outside = new Connection(client, "2001:db8:7::7", 30_080)) {
      assertThat(outside.ask("hello").get(1)).startsWith("fd00:244:");
    }
    assertThat(askByDatagram(client, Services.NODE_V4.toString(), 30_080).get(1))
        .isEqualTo("10.244.0.1");
    for (String vip : List.of(VIP_V4, VIP_V6)) {
      try (Connection itself = new Connection(node, vip, 80)) {
        assertThat(pods(vip)).contains(itself.ask("hello").getFirst());
      }
    }
  }

  @Test
  void servesAPodThatIsItsOwnBackend() throws IOException {
    activate(web(Protocol.TCP, 1));
    try (Connection pod = new Connection(pods, VIP_V4, 80)) {
      assertThat(pod.ask("hello")).startsWith(PODS_V4.getFirst(), "10.244.0.1");
    }
  }

  @Test
  void refusesWhatNobodyServes() throws IOException {
    ServicePort empty =
        service(
            "empty",
            Protocol.TCP,
            List.of(frontend("10.96.0.11", 80, Protocol.TCP, FrontendKind.CLUSTER_IP)));
    ServicePort external =
        service(
            "external",
            Protocol.TCP,
            List.of(frontend(EXTERNAL, 80, Protocol.TCP, FrontendKind.EXTERNAL_IP)),
            backends(PODS_V4, 3));
    here(() -> dataplane.prepare(desired(List.of(empty, external))));
    assertThatThrownBy(() -> new Connection(client, EXTERNAL, 80)).isInstanceOf(IOException.class);
    run(dataplane::activate);
    assertThatThrownBy(() -> new Connection(client, "10.96.0.11", 80))
        .isInstanceOf(ConnectException.class);
    try (NamedServers ofTheHost = new NamedServers(node, List.of("0.0.0.0"));
        Connection served = new Connection(client, EXTERNAL, 80)) {
      assertThat(PODS_V4).contains(served.ask("hello").getFirst());
      // The host listens at every address, but its ports are not the Service's.
      assertThatThrownBy(() -> new Connection(client, EXTERNAL, NamedServers.PORT))
          .isInstanceOf(ConnectException.class);
    }
  }
}
