// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.NamedServers.askByDatagram;
import static io.pointsman.dataplane.ipvs.Services.desired;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.dataplane.bpf.BpfOptions;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.IpvsNetlink;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Datagrams that ip_vs has translated when BPF comes and ip_vs goes. */
public class BpfAfterIpvsInside extends IpvsNetworkFixture {
  private static final int FIRST_PORT = 4_711;
  private static final int FLOWS = 6;

  private final ServicePort web = web(Protocol.UDP, 3);
  private final BpfDataplane bpf =
      new BpfDataplane(
          BpfOptions.defaults().pinnedUnder(node.bpffs().resolve("pointsman")).on(node.cgroup()),
          new DataplaneSettings(Scheduler.RANDOM, 30_000, 32_767));

  @BeforeEach
  void serve() {
    shell("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
    activate(web);
  }

  @AfterEach
  void leave() {
    run(bpf::remove);
    bpf.close();
  }

  @Test
  void keepTheirServer() {
    List<String> before = ask();
    assertThat(here(BpfAfterIpvsInside::questions)).isZero();
    goOver();
    assertThat(ask()).isEqualTo(before);
    run(bpf::maintain);
    assertThat(ask()).isEqualTo(before);
  }

  /** A port that came round was refused until the programs were told that nobody has the flow. */
  @Test
  void beginAnewWhenOnlyIpvsRemembersThem() {
    ask();
    run(BpfAfterIpvsInside::forget);
    goOver();
    assertThat(ask()).allMatch(PODS_V4::contains);
  }

  /** Its virtual server stayed for five minutes, and took answers to what clients asked BPF. */
  @Test
  void thatTheNodeSentLongAgoKeepNoServer() {
    askByDatagram(node, FIRST_PORT, VIP_V4, 80);
    assertThat(here(() -> dataplane.drain()).flows()).isOne();
    run(BpfAfterIpvsInside::forget);
    goOver();
  }

  /** It was dropped, and a resolver that waits for it asks again after seconds. */
  @Test
  void getTheAnswerThatIsOnItsWay() throws IOException {
    CountDownLatch answering = new CountDownLatch(1);
    servers.answerDatagramsFrom(answering);
    LongSupplier clock =
        () -> { // which stands still until the answer is there
          answering.countDown();
          return 0;
        };
    IpSets sets = new IpSets(options.commands(), List.of(IpFamily.values()));
    try (DatagramSocket asking = client.inNamespace(DatagramSocket::new)) {
      run(
          () -> {
            bpf.prepare(desired(List.of(web)));
            try (IpvsNetlink ipvs = Leaving.ipvs();
                FlowHandover handover = new FlowHandover(RulePlaces.find(options), sets, clock)) {
              handover.prepare();
              send(asking);
              await().atMost(PATIENCE).until(() -> here(BpfAfterIpvsInside::questions) == 1);
              bpf.activate();
              handover.drain(ipvs, server -> true, Set.of());
            }
          });
      asking.setSoTimeout((int) PATIENCE.toMillis());
      DatagramPacket answer = new DatagramPacket(new byte[512], 512);
      asking.receive(answer);
      String text = new String(answer.getData(), 0, answer.getLength(), StandardCharsets.UTF_8);
      assertThat(PODS_V4).contains(text.split(" ", 2)[0]);
    }
  }

  private static void send(DatagramSocket asking) {
    try {
      asking.connect(InetAddress.ofLiteral(VIP_V4), 80);
      asking.send(new DatagramPacket(new byte[1], 1));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Flows that nothing came back of. */
  private static int questions() {
    try (Conntrack conntrack = new Conntrack()) {
      return conntrack.read(flow -> !flow.answered()).size();
    }
  }

  private void goOver() {
    run(() -> bpf.prepare(desired(List.of(web))));
    assertThat(here(() -> dataplane.drainAfter(bpf::activate)).flows()).isZero();
    assertThat(here(bpf::phase)).isEqualTo(Phase.ACTIVE);
    run(bpf::maintain);
    assertThat(shell("iptables-legacy-save") + shell("ipset", "list", "-n"))
        .doesNotContain("POINTSMAN-HOLD", "POINTSMAN-HELD");
    assertThat(shell("ipvsadm", "-Ln")).doesNotContain(VIP_V4);
  }

  private static void forget() {
    try (Conntrack conntrack = new Conntrack()) {
      conntrack.read(flow -> true).forEach(flow -> conntrack.delete(flow.original()));
      conntrack.flush();
    }
  }

  private List<String> ask() {
    List<String> pods = new ArrayList<>();
    for (int i = 0; i < FLOWS; i++) {
      pods.add(askByDatagram(client, FIRST_PORT + i, VIP_V4, 80).getFirst());
    }
    return pods;
  }
}
