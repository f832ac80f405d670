// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.BpfObject;
import io.pointsman.kernel.SkbContext;
import io.pointsman.kernel.TestRun;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The packet programs loaded with maps of their own, run on single packets. */
final class PacketPrograms implements AutoCloseable {
  static final int PASS = -1; // TC_ACT_UNSPEC
  static final int DROP = 2; // TC_ACT_SHOT
  static final int REDIRECT = 7; // TC_ACT_REDIRECT

  /** Of the loopback device, which a test run's packets come by. */
  static final int IFINDEX = 1;

  static final Address NODE_V4 = Address.parse("192.0.2.1");
  static final Address NODE_V6 = Address.parse("2001:db8::1");

  private final BpfObject object;
  final Tables tables;

  private static @Nullable PacketPrograms shared;

  /** Loads, active, with a node address. */
  PacketPrograms(Map<String, Integer> sizes) {
    object = load("packet", sizes);
    tables = new Tables(object);
    reset();
  }

  /** Programs that all tests of the JVM share, for the verifier takes its time; maps are empty. */
  static synchronized PacketPrograms fresh() {
    if (shared == null) {
      shared = new PacketPrograms(Map.of());
    }
    shared.reset();
    return shared;
  }

  private void reset() {
    tables.clear();
    tables.phase(Tables.ACTIVE);
    tables.nodeAddress(NODE_V4);
    tables.nodeAddress(NODE_V6);
    tables.device(0, NODE_V4, NODE_V6);
  }

  /** Loads an object that the build compiled. */
  static BpfObject load(String name, Map<String, Integer> sizes) {
    try {
      byte[] elf = Files.readAllBytes(Path.of("target/classes/bpf", name + ".bpf.o"));
      BpfObject opened = BpfObject.open(name, elf, BpfObject.Options.NONE.withMaxEntries(sizes));
      opened.load();
      return opened;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  BpfObject object() {
    return object;
  }

  TestRun ingress(byte[] packet) {
    return object.program("ingress").testRun(packet, 1);
  }

  TestRun ingress(byte[] packet, int ifindex) {
    return object.program("ingress").testRun(packet, 1, SkbContext.at(ifindex));
  }

  TestRun egress(byte[] packet) {
    return object.program("egress").testRun(packet, 1);
  }

  /** The packet as it is behind ingress, where it must be let through with right checksums. */
  Wire throughIngress(byte[] packet) {
    return passed(ingress(packet));
  }

  /** The packet as it is behind egress. */
  Wire throughEgress(byte[] packet) {
    return passed(egress(packet));
  }

  /** Asserts that neither hook touches a packet. */
  void leavesAlone(byte[] packet) {
    for (TestRun run : new TestRun[] {ingress(packet), egress(packet)}) {
      if (run.retval() != PASS || !Arrays.equals(packet, run.data())) {
        throw new AssertionError("verdict " + run.retval() + ", " + Wire.read(run.data()));
      }
    }
  }

  static Wire passed(TestRun run) {
    if (run.retval() != PASS) {
      throw new AssertionError("verdict " + run.retval());
    }
    return Wire.sound(run.data());
  }

  @Override
  public void close() {
    object.close();
  }
}
