// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.ACK;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.BpfObject;
import io.pointsman.kernel.BpfProgram;
import io.pointsman.kernel.BpfSources;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Nanoseconds per packet in BPF_PROG_TEST_RUN, beside a program that does nothing. A repeated run
 * starts from what the run before left, so a known flow is one that is translated onto itself.
 */
@Tag("bench")
class PacketBench {
  private static final int REPEAT = 2_000_000;
  private static final int ROUNDS = 5;
  private static final int NEW_FLOWS = 20_000;
  private static final List<Endpoint> CLIENTS =
      List.of(Endpoint.of("198.51.100.5", 40123), Endpoint.of("2001:db8:5::5", 40123));

  private final PacketPrograms programs = new PacketPrograms(Map.of("ct", 1 << 20));
  private final Tables tables = programs.tables;

  private static Endpoint vip(Endpoint client) {
    return Endpoint.of(client.isV4() ? "10.96.0.10" : "fd00:96::10", 80);
  }

  private static Endpoint backend(Endpoint client, int port) {
    return Endpoint.of(client.isV4() ? "10.244.1.9" : "fd00:244:1::9", port);
  }

  private static long best(BpfProgram program, byte[] packet) {
    long best = Long.MAX_VALUE;
    for (int i = 0; i < ROUNDS; i++) {
      best = Math.min(best, program.testRun(packet, REPEAT).durationNanos());
    }
    return best;
  }

  @Test
  void perPacket() {
    try (BpfObject empty =
        BpfObject.open(
            "empty",
            BpfSources.compile("src/test/resources/bpf/empty.bpf.c"),
            BpfObject.Options.NONE)) {
      empty.load();
      byte[] packet = PacketBuilder.tcp(CLIENTS.getFirst(), CLIENTS.getFirst(), SYN).build();
      System.out.printf("ns per packet: empty program %d%n", best(empty.program("empty"), packet));
    }
    BpfProgram ingress = programs.object().program("ingress");
    BpfProgram egress = programs.object().program("egress");
    for (Endpoint client : CLIENTS) {
      String family = client.isV4() ? "IPv4" : "IPv6";
      for (int protocol : new int[] {TCP, UDP}) {
        String name = family + (protocol == TCP ? " TCP" : " UDP");
        report(name + " known flow, ingress", known(ingress, client, protocol));
        report(name + " known flow, egress", known(egress, client, protocol));
        byte[] other = PacketBuilder.of(protocol, client, client.withPort(9)).flags(ACK).build();
        report(name + " not ours, ingress", best(ingress, other));
        report(name + " not ours, egress", best(egress, other));
        Address own = client.isV4() ? PacketPrograms.NODE_V4 : PacketPrograms.NODE_V6;
        Endpoint node = new Endpoint(own, Tables.LOW_PORT);
        tables.device(PacketPrograms.IFINDEX, PacketPrograms.NODE_V4, PacketPrograms.NODE_V6);
        byte[] stacks = PacketBuilder.of(protocol, node, client).flags(SYN).build();
        report(name + " the stack's from a port of ours, egress", best(egress, stacks));
        report(name + " new flow, local backend", fresh(client, protocol, Structs.BE_LOCAL));
        report(name + " new flow, masqueraded", fresh(client, protocol, 0));
      }
    }
  }

  private static void report(String what, long nanos) {
    System.out.printf("ns per packet: %s %d%n", what, nanos);
  }

  /** The frontend is its own backend, so every repetition looks up and writes the same. */
  private long known(BpfProgram program, Endpoint client, int protocol) {
    tables.clear();
    Endpoint vip = vip(client);
    tables.service(vip, protocol, 1, Structs.BE_LOCAL, List.of(vip));
    Wire there =
        programs.throughIngress(PacketBuilder.of(protocol, client, vip).flags(SYN).build());
    assertThat(there.to()).isEqualTo(vip);
    boolean in = program.name().equals("ingress");
    byte[] packet =
        PacketBuilder.of(protocol, in ? client : vip, in ? vip : client)
            .flags(ACK)
            .payload(100)
            .build();
    return best(program, packet);
  }

  /** One run each, as a flow is new but once: the clock's own cost is in the figure. */
  private long fresh(Endpoint client, int protocol, int flags) {
    tables.clear();
    tables.device(0, PacketPrograms.NODE_V4, PacketPrograms.NODE_V6);
    tables.service(vip(client), protocol, 1, flags, List.of(backend(client, 80)));
    long sum = 0;
    for (int i = 0; i < NEW_FLOWS; i++) {
      tables.backends(1, flags, List.of(backend(client, 1 + i / 1000)));
      Endpoint from = client.withPort(1024 + i);
      sum +=
          programs
              .object()
              .program("ingress")
              .testRun(PacketBuilder.of(protocol, from, vip(client)).build(), 1)
              .durationNanos();
    }
    assertThat(tables.count(Counter.FLOW_NEW)).isEqualTo(NEW_FLOWS);
    return sum / NEW_FLOWS;
  }
}
