// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Talks to one family of generic netlink (linux/genetlink.h). The kernel loads the module of a
 * family when it is asked for by name and the node has it. For one thread.
 */
final class GenericNetlink implements AutoCloseable {
  /** struct genlmsghdr; attributes follow. */
  static final int HEADER = 4;

  private static final int CONTROLLER = 16;
  private static final int CTRL_CMD_GETFAMILY = 3;
  private static final int CTRL_ATTR_FAMILY_ID = 1;
  private static final int CTRL_ATTR_FAMILY_NAME = 2;
  private static final int CTRL_VERSION = 2;
  private static final int REQUEST_SIZE = 512;

  private final NetlinkSocket socket;
  private final int family;
  private final int version;
  private final NetlinkBatch batch;

  private GenericNetlink(NetlinkSocket socket, int family, int version) {
    this.socket = socket;
    this.family = family;
    this.version = version;
    this.batch = new NetlinkBatch(socket);
  }

  /** Opens a family by name; empty when the kernel does not have it. */
  static Optional<GenericNetlink> open(String name, int version) {
    NetlinkSocket socket = new NetlinkSocket(NetlinkSocket.NETLINK_GENERIC, 0);
    try {
      int[] family = {0};
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment request =
            request(
                arena,
                CTRL_CMD_GETFAMILY,
                CTRL_VERSION,
                writer -> writer.attribute(CTRL_ATTR_FAMILY_NAME, name));
        socket.ask(
            CONTROLLER,
            request,
            "find",
            "netlink family " + name,
            (type, body) -> family[0] = family(body));
      }
      return Optional.of(new GenericNetlink(socket, family[0], version));
    } catch (KernelException e) {
      socket.close();
      if (e.errno() == Errno.ENOENT) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private static int family(MemorySegment body) {
    MemorySegment id = NetlinkSocket.attribute(body, HEADER, CTRL_ATTR_FAMILY_ID);
    return id == null ? 0 : Short.toUnsignedInt(id.get(ValueLayout.JAVA_SHORT, 0));
  }

  /** Hands over everything that a dump command answers; the bodies start with their header. */
  void dump(
      int command,
      String what,
      Consumer<NetlinkWriter> attributes,
      Runnable restart,
      Consumer<MemorySegment> receiver) {
    try (Arena arena = Arena.ofConfined()) {
      socket.dump(
          family,
          request(arena, command, version, attributes),
          what,
          restart,
          (type, body) -> receiver.accept(body));
    }
  }

  /** Sends one command and hands over its answers. */
  void ask(
      int command,
      String operation,
      String what,
      Consumer<NetlinkWriter> attributes,
      Consumer<MemorySegment> receiver) {
    try (Arena arena = Arena.ofConfined()) {
      socket.ask(
          family,
          request(arena, command, version, attributes),
          operation,
          what,
          (type, body) -> receiver.accept(body));
    }
  }

  /** Collects a command; {@link #flush} sees to it that all are done. */
  void add(
      int command,
      String operation,
      Object object,
      Set<Errno> tolerated,
      Consumer<NetlinkWriter> attributes) {
    batch.add(
        family,
        0,
        operation,
        object,
        tolerated,
        writer -> {
          header(writer, command, version);
          attributes.accept(writer);
        });
  }

  /** Waits until all collected commands are done; see {@link NetlinkBatch#flush}. */
  void flush() {
    batch.flush();
  }

  /** Forgets commands that were collected and not sent. */
  void clear() {
    batch.clear();
  }

  @Override
  public void close() {
    batch.close();
    socket.close();
  }

  private static MemorySegment request(
      Arena arena, int command, int version, Consumer<NetlinkWriter> attributes) {
    NetlinkWriter writer = new NetlinkWriter(arena.allocate(REQUEST_SIZE, Integer.BYTES));
    header(writer, command, version);
    attributes.accept(writer);
    return writer.written();
  }

  private static void header(NetlinkWriter writer, int command, int version) {
    writer.putByte(command);
    writer.putByte(version);
    writer.putShort(0);
  }
}
