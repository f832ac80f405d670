// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.NamedServers.askByDatagram;
import static io.pointsman.dataplane.ipvs.Services.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.dataplane.bpf.BpfOptions;
import io.pointsman.kernel.Conntrack;
import java.util.ArrayList;
import java.util.List;
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
