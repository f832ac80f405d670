// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A NETLINK_ROUTE socket of the network namespace that the opening thread is in (rtnetlink(7)). For
 * one thread.
 */
final class NetlinkSocket implements AutoCloseable {
  static final int HEADER = 16;

  private static final int BUFFER_SIZE = 256 * 1024;
  private static final int RECEIVE_BUFFER = 1024 * 1024;
  private static final int NLMSG_ERROR = 2;
  private static final int NLMSG_DONE = 3;
  private static final int NLM_F_REQUEST = 1;
  private static final int NLM_F_DUMP = 0x300;
  private static final int NLM_F_DUMP_INTR = 0x10;
  private static final int MAX_INTERRUPTED = 20;
  private static final int ALIGNMENT = 4;

  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(BUFFER_SIZE, Long.BYTES);
  private final Descriptor descriptor;
  private int sequence;

  /** Receives a message; the segment starts behind the header and is valid during the call. */
  @FunctionalInterface
  interface Receiver {
    void message(int type, MemorySegment body);
  }

  NetlinkSocket(int groups) {
    int fd = LibcSockets.socket(LibcSockets.AF_NETLINK, LibcSockets.SOCK_RAW_CLOEXEC, 0);
    if (fd < 0) {
      arena.close();
      throw new KernelException("open socket", "netlink", -fd);
    }
    this.descriptor = new Descriptor(fd, "netlink socket");
    // struct sockaddr_nl: family, pad, pid (0: the kernel chooses), groups
    MemorySegment address = arena.allocate(12, ALIGNMENT);
    address.set(ValueLayout.JAVA_SHORT, 0, (short) LibcSockets.AF_NETLINK);
    address.set(ValueLayout.JAVA_INT, 8, groups);
    int result = LibcSockets.bind(fd, address);
    // A smaller buffer than wished for only means that overruns come earlier.
    int unused =
        LibcSockets.setOption(
            fd, LibcSockets.SO_RCVBUF, arena.allocateFrom(ValueLayout.JAVA_INT, RECEIVE_BUFFER));
    if (result < 0) {
      close();
      throw new KernelException("bind socket", "netlink", -result);
    }
  }

  int fd() {
    return descriptor.get();
  }

  /**
   * Sends a dump request and hands over every answer. An interrupted dump is begun again, after the
   * receiver was told to forget by {@code restart}.
   */
  void dump(int type, MemorySegment body, String what, Runnable restart, Receiver receiver) {
    for (int attempt = 0; attempt < MAX_INTERRUPTED; attempt++) {
      restart.run();
      request(type, body, what);
      if (answers(what, receiver)) {
        return;
      }
    }
    throw new KernelException("dump", what, Errno.EINTR.number());
  }

  /**
   * Reads what is there without waiting.
   *
   * @return a negative error number, 0 when there was nothing, else a positive number
   */
  long drain() {
    return LibcSockets.receive(fd(), buffer, LibcSockets.MSG_DONTWAIT);
  }

  @Override
  public void close() {
    descriptor.close();
    arena.close();
  }

  private void request(int type, MemorySegment body, String what) {
    long size = HEADER + body.byteSize();
    buffer.set(ValueLayout.JAVA_INT, 0, (int) size);
    buffer.set(ValueLayout.JAVA_SHORT, 4, (short) type);
    buffer.set(ValueLayout.JAVA_SHORT, 6, (short) (NLM_F_REQUEST | NLM_F_DUMP));
    buffer.set(ValueLayout.JAVA_INT, 8, ++sequence);
    buffer.set(ValueLayout.JAVA_INT, 12, 0);
    MemorySegment.copy(body, 0, buffer, HEADER, body.byteSize());
    long sent = LibcSockets.send(fd(), buffer, size);
    if (sent < 0) {
      throw new KernelException("dump", what, (int) -sent);
    }
  }

  private boolean answers(String what, Receiver receiver) {
    boolean complete = true;
    while (true) {
      long size = LibcSockets.receive(fd(), buffer, LibcSockets.MSG_TRUNC);
      if (size == -Errno.EINTR.number()) {
        continue;
      }
      if (size < 0 || size > buffer.byteSize()) {
        throw new KernelException("dump", what, size < 0 ? (int) -size : Errno.EMSGSIZE.number());
      }
      long at = 0;
      while (at + HEADER <= size) {
        int length = buffer.get(ValueLayout.JAVA_INT, at);
        if (length < HEADER || at + length > size) {
          throw new KernelException("dump", what, Errno.EBADMSG.number());
        }
        boolean mine = buffer.get(ValueLayout.JAVA_INT, at + 8) == sequence;
        int type = Short.toUnsignedInt(buffer.get(ValueLayout.JAVA_SHORT, at + 4));
        complete &= (buffer.get(ValueLayout.JAVA_SHORT, at + 6) & NLM_F_DUMP_INTR) == 0;
        MemorySegment body = buffer.asSlice(at + HEADER, (long) length - HEADER);
        if (mine && end(type, body, what)) {
          return complete;
        }
        if (mine) {
          receiver.message(type, body);
        }
        at += align(length);
      }
    }
  }

  private static boolean end(int type, MemorySegment body, String what) {
    if (type != NLMSG_ERROR && type != NLMSG_DONE) {
      return false;
    }
    int error = body.byteSize() < Integer.BYTES ? 0 : body.get(ValueLayout.JAVA_INT, 0);
    if (error < 0) {
      throw new KernelException("dump", what, -error);
    }
    return true;
  }

  /** The value of an attribute behind a fixed part, null when it is not there. */
  static @Nullable MemorySegment attribute(MemorySegment body, long from, int wanted) {
    long at = from;
    while (at + ALIGNMENT <= body.byteSize()) {
      int length = Short.toUnsignedInt(body.get(ValueLayout.JAVA_SHORT, at));
      int type = Short.toUnsignedInt(body.get(ValueLayout.JAVA_SHORT, at + 2)) & 0x3fff;
      if (length < ALIGNMENT || at + length > body.byteSize()) {
        return null;
      }
      if (type == wanted) {
        return body.asSlice(at + ALIGNMENT, (long) length - ALIGNMENT);
      }
      at += align(length);
    }
    return null;
  }

  /** A string attribute, empty when it is not there. */
  static String text(MemorySegment body, long from, int wanted) {
    MemorySegment value = attribute(body, from, wanted);
    return value == null ? "" : value.getString(0);
  }

  /** A 32 bit attribute, 0 when it is not there. */
  static int number(MemorySegment body, long from, int wanted) {
    MemorySegment value = attribute(body, from, wanted);
    return value == null || value.byteSize() < Integer.BYTES
        ? 0
        : value.get(ValueLayout.JAVA_INT, 0);
  }

  private static long align(int length) {
    return (length + ALIGNMENT - 1L) & -ALIGNMENT;
  }
}
