// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import io.pointsman.catalogue.Address;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** The structures of bpf/layout.h, written down a second time so that a slip in either shows. */
final class Structs {
  static final int BE_LOCAL = 1;
  static final int RANDOM = 0;
  static final int ROUND_ROBIN = 1;
  static final int CT_INGRESS = 0;
  static final int CT_EGRESS = 1;
  static final int CT_SOCKET = 2;
  static final int CT_FORWARD = 1;
  static final int CT_STACK = 16;
  static final int CT_HELD = 32;
  static final int NODE_PORT_LOW = 30_000;
  static final int NODE_PORT_HIGH = 32_767;
  static final int UDP_TIMEOUT = 30;
  static final int STREAM_TIMEOUT = 120;

  private Structs() {}

  static MemorySegment frontendKey(Endpoint frontend, int protocol) {
    return segment(
        buffer(20)
            .put(frontend.address().bytes())
            .put(port(frontend.port()))
            .put((byte) protocol)
            .put((byte) 0));
  }

  static MemorySegment frontend(int set, int count, int local, int service, int scheduler) {
    return frontend(set, count, local, service, scheduler, 0);
  }

  static MemorySegment frontend(
      int set, int count, int local, int service, int scheduler, int terminating) {
    return segment(
        buffer(32)
            .putInt(set)
            .putInt(count)
            .putInt(local)
            .putInt(service)
            .putInt(0)
            .putInt(0)
            .putInt(0)
            .put((byte) scheduler)
            .put((byte) 0)
            .putShort((short) terminating));
  }

  static MemorySegment backendKey(int set, int ordinal) {
    return segment(buffer(8).putInt(set).putInt(ordinal));
  }

  static MemorySegment backend(Endpoint backend, int flags, int set) {
    return segment(
        buffer(28)
            .put(backend.address().bytes())
            .put(port(backend.port()))
            .putShort((short) 1)
            .putInt(flags)
            .putInt(set));
  }

  static MemorySegment connectionKey(int hook, int protocol, Endpoint from, Endpoint to) {
    return segment(
        buffer(40)
            .put(from.address().bytes())
            .put(to.address().bytes())
            .put(port(from.port()))
            .put(port(to.port()))
            .put((byte) protocol)
            .put((byte) hook)
            .putShort((short) 0));
  }

  static MemorySegment connection(Endpoint to, int flags, int service, long lastSeen) {
    return segment(
        buffer(40)
            .put(to.address().bytes())
            .put(port(to.port()))
            .putShort((short) flags)
            .putInt(service)
            .putLong(lastSeen)
            .putInt(0)
            .putInt(0));
  }

  static MemorySegment device(Address v4, Address v6) {
    return segment(buffer(32).put(v4.bytes()).put(v6.bytes()));
  }

  static MemorySegment address(Address address) {
    return segment(buffer(16).put(address.bytes()));
  }

  static MemorySegment number(int value) {
    return segment(buffer(4).putInt(value));
  }

  static MemorySegment config(int phase, int low, int high, long hostNamespace) {
    return segment(
        buffer(40)
            .putInt(phase)
            .putShort((short) low)
            .putShort((short) high)
            .putLong(hostNamespace)
            .putShort((short) NODE_PORT_LOW)
            .putShort((short) NODE_PORT_HIGH)
            .putShort((short) UDP_TIMEOUT)
            .putShort((short) STREAM_TIMEOUT)
            .putLong(0)
            .putLong(0));
  }

  private static byte[] port(int port) {
    return new byte[] {(byte) (port >> 8), (byte) port};
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
  }

  private static MemorySegment segment(ByteBuffer full) {
    if (full.hasRemaining()) {
      throw new IllegalStateException(full.remaining() + " bytes of the structure are missing");
    }
    return Arena.ofAuto().allocateFrom(ValueLayout.JAVA_BYTE, full.array());
  }
}
