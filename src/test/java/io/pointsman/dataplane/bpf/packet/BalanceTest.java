// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How new connections are spread. */
class BalanceTest {
  private static final Endpoint VIP = Endpoint.of("fd00:96::10", 80);

  private final PacketPrograms programs = PacketPrograms.fresh();

  private Map<Endpoint, Integer> spread(int backends, int scheduler, int connections) {
    List<Endpoint> all = new ArrayList<>();
    for (int i = 0; i < backends; i++) {
      all.add(Endpoint.of("fd00:244::" + Integer.toHexString(i + 1), 8080));
    }
    programs.tables.backends(1, Structs.BE_LOCAL, all);
    programs.tables.frontend(VIP, TCP, 1, backends, scheduler);
    Map<Endpoint, Integer> hits = new HashMap<>();
    for (int i = 0; i < connections; i++) {
      Endpoint client =
          Endpoint.of("2001:db8::" + Integer.toHexString(i / 60000 + 1), i % 60000 + 1);
      hits.merge(
          programs.throughIngress(PacketBuilder.tcp(client, VIP, SYN).build()).to(),
          1,
          Integer::sum);
    }
    assertThat(hits.keySet()).isSubsetOf(all);
    return hits;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 100})
  void roundRobinIsExact(int backends) {
    assertThat(spread(backends, Structs.ROUND_ROBIN, 5 * backends).values())
        .hasSize(backends)
        .containsOnly(5);
  }

  /** Chi-square with 9 degrees of freedom exceeds 33.7 once in 10,000 runs. */
  @Test
  void randomIsUniform() {
    int expected = 1000;
    double chiSquare = 0;
    for (int hits : spread(10, Structs.RANDOM, 10 * expected).values()) {
      chiSquare += Math.pow(hits - expected, 2) / expected;
    }
    assertThat(chiSquare).isBetween(0.5, 33.7);
  }
}
