// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.TestRun;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Random packets: whatever comes out of a packet whose checksums were right has right ones, and
 * nothing else is touched but addresses, ports and checksums. Seeded, so a failure repeats.
 */
class FuzzTest {
  private static final int PACKETS = 20_000;
  private static final String[] V4 = {"198.51.100.5", "10.96.0.10", "10.244.1.9", "192.0.2.1"};
  private static final String[] V6 = {
    "2001:db8:5::5", "fd00:96::10", "fd00:244:1::9", "2001:db8::1"
  };
  private static final int[] PORTS = {80, 8080, 30080, 40123, 81};
  private static final int[] HEADERS = {0, 43, 44, 60, 60, 51, 59};

  private final PacketPrograms programs = PacketPrograms.fresh();
  private final Random random = new Random(20260101);
  private int changed;
  private int answered;

  @BeforeEach
  void serve() {
    for (int protocol : new int[] {TCP, UDP}) {
      for (String[] of : new String[][] {V4, V6}) {
        boolean v4 = of == V4;
        Endpoint backend = Endpoint.of(of[2], 8080);
        programs.tables.service(Endpoint.of(of[1], 80), protocol, v4 ? 1 : 2, 0, List.of(backend));
        Endpoint any = Endpoint.of(v4 ? "0.0.0.0" : "::", 30080);
        programs.tables.service(any, protocol, v4 ? 1 : 2, 0, List.of(backend));
        programs.tables.frontend(Endpoint.of(of[1], 81), protocol, 3, 0, Structs.RANDOM);
      }
    }
  }

  private int pick(int... from) {
    return from[random.nextInt(from.length)];
  }

  private Endpoint endpoint(String[] of) {
    return Endpoint.of(of[random.nextInt(of.length)], pick(PORTS));
  }

  private PacketBuilder builder(boolean v4) {
    String[] of = v4 ? V4 : V6;
    PacketBuilder builder =
        PacketBuilder.of(pick(TCP, UDP), endpoint(of), endpoint(of))
            .flags(random.nextInt(64))
            .payload(random.nextInt(120));
    if (v4 && random.nextInt(3) == 0) {
      builder.options(new byte[4 * random.nextInt(11)]);
    }
    for (int i = random.nextInt(3); !v4 && i > 0; i--) {
      byte[] rest = new byte[7];
      random.nextBytes(rest);
      rest[0] = 0;
      builder.header(pick(HEADERS), rest);
    }
    return builder;
  }

  private byte[] generate() {
    boolean v4 = random.nextBoolean();
    byte[] packet = builder(v4).build();
    if (random.nextInt(4) == 0) {
      String[] of = v4 ? V4 : V6;
      int type = v4 ? pick(3, 4, 11, 12, 8) : pick(1, 2, 3, 4, 128);
      return IcmpBuilder.error(
          endpoint(of), endpoint(of), type, random.nextInt(5), 0, packet, random.nextInt(200));
    }
    if (random.nextInt(8) == 0) {
      List<byte[]> pieces = builder(v4).fragments(8 * (1 + random.nextInt(5)), random.nextInt(3));
      return pieces.get(random.nextInt(pieces.size()));
    }
    return packet;
  }

  private byte[] mutate(byte[] packet) {
    byte[] mutated = packet.clone();
    for (int i = random.nextInt(4); i > 0; i--) {
      mutated[12 + random.nextInt(Math.min(mutated.length, 90) - 12)] = (byte) random.nextInt();
    }
    int shortest = (mutated[12] & 0xff) == 0x86 ? 54 : 34; // the kernel runs no program on less
    return random.nextInt(4) == 0 || mutated.length < shortest
        ? Arrays.copyOf(mutated, shortest + random.nextInt(mutated.length))
        : mutated;
  }

  private byte[] check(byte[] packet, TestRun run) {
    assertThat(run.retval())
        .isIn(PacketPrograms.PASS, PacketPrograms.DROP, PacketPrograms.REDIRECT);
    Optional<Wire> before = Wire.read(packet);
    if (run.retval() == PacketPrograms.DROP || before.isEmpty() || !before.get().isSound()) {
      return run.data();
    }
    if (run.retval() == PacketPrograms.REDIRECT) {
      answered++;
      assertThat(Wire.sound(run.data()).isIcmp()).isTrue();
    } else if (!Arrays.equals(packet, run.data())) {
      changed++;
      Wire after = Wire.sound(run.data());
      assertThat(after.protocol()).isEqualTo(before.get().protocol());
      assertThat(run.data()).hasSameSizeAs(packet);
      if (after.isFlow() && after.first() && !after.fragment()) {
        assertThat(after.payload()).isEqualTo(before.get().payload());
      }
    }
    return run.data();
  }

  @Test
  void soundPacketsStaySound() {
    for (int i = 0; i < PACKETS; i++) {
      byte[] packet = generate();
      byte[] in = check(packet, programs.ingress(packet));
      check(in, programs.egress(in));
    }
    assertThat(changed).as("packets translated").isGreaterThan(PACKETS / 50);
    assertThat(answered).as("packets rejected").isGreaterThan(PACKETS / 200);
  }

  @Test
  void brokenPacketsBreakNothing() {
    for (int i = 0; i < PACKETS; i++) {
      byte[] packet = mutate(generate());
      check(packet, programs.ingress(packet));
      check(packet, programs.egress(packet));
    }
  }
}
