// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A netlink socket of the network namespace that the opening thread is in (netlink(7)). For one
 * thread.
 */
final class NetlinkSocket implements AutoCloseable {
  static final int HEADER = 16;
  static final int NETLINK_ROUTE = 0;
  static final int NETLINK_GENERIC = 16;
  static final int NLM_F_REQUEST = 1;
  static final int NLM_F_ACK = 4;
  static final int NLM_F_EXCL = 0x200;
  static final int NLM_F_CREATE = 0x400;
  static final int NLMSG_ERROR = 2;

  private static final int BUFFER_SIZE = 256 * 1024;
  private static final int RECEIVE_BUFFER = 1024 * 1024;
  private static final long RECEIVE_SECONDS = 60;
  private static final int NLMSG_DONE = 3;
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

  /**
   * Opens a socket.
   *
   * @param protocol NETLINK_* of linux/netlink.h
   * @param groups the multicast groups to listen to, a bit each
   */
  NetlinkSocket(int protocol, int groups) {
    int fd = LibcSockets.socket(LibcSockets.AF_NETLINK, LibcSockets.SOCK_RAW_CLOEXEC, protocol);
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
    // The kernel answers at once; a lost answer must not hold the caller for ever.
    MemorySegment timeout = arena.allocate(ValueLayout.JAVA_LONG, 2);
    timeout.set(ValueLayout.JAVA_LONG, 0, RECEIVE_SECONDS);
    result = result < 0 ? result : LibcSockets.setOption(fd, LibcSockets.SO_RCVTIMEO, timeout);
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
      request(type, NLM_F_DUMP, body, "dump", what);
      if (answers("dump", what, receiver)) {
        return;
      }
    }
    throw new KernelException("dump", what, Errno.EINTR.number());
  }

  /**
   * Sends one request, hands over every answer and waits for the acknowledgement.
   *
   * @throws KernelException when the kernel refuses it
   */
  void ask(int type, MemorySegment body, String operation, String what, Receiver receiver) {
    request(type, NLM_F_ACK, body, operation, what);
    answers(operation, what, receiver);
  }

  int nextSequence() {
    return ++sequence;
  }

  /** Sends messages that have their headers. */
  void send(MemorySegment messages, long size, String operation, String what) {
    long sent = LibcSockets.send(fd(), messages, size);
    if (sent < 0) {
      throw new KernelException(operation, what, (int) -sent);
    }
  }

  /** Waits for the next answers; the segment is valid until the socket is used again. */
  MemorySegment receive(String operation, String what) {
    while (true) {
      long size = LibcSockets.receive(fd(), buffer, LibcSockets.MSG_TRUNC);
      if (size < 0 && size != -Errno.EINTR.number()) {
        throw new KernelException(operation, what, (int) -size);
      }
      if (size > buffer.byteSize()) {
        throw new KernelException(operation, what, Errno.EMSGSIZE.number());
      }
      if (size >= 0) {
        return buffer.asSlice(0, size);
      }
    }
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

  private void request(int type, int flags, MemorySegment body, String operation, String what) {
    long size = HEADER + body.byteSize();
    buffer.set(ValueLayout.JAVA_INT, 0, (int) size);
    buffer.set(ValueLayout.JAVA_SHORT, 4, (short) type);
    buffer.set(ValueLayout.JAVA_SHORT, 6, (short) (NLM_F_REQUEST | flags));
    buffer.set(ValueLayout.JAVA_INT, 8, nextSequence());
    buffer.set(ValueLayout.JAVA_INT, 12, 0);
    MemorySegment.copy(body, 0, buffer, HEADER, body.byteSize());
    send(buffer, size, operation, what);
  }

  private boolean answers(String operation, String what, Receiver receiver) {
    boolean complete = true;
    while (true) {
      MemorySegment messages = receive(operation, what);
      long at = 0;
      while (at + HEADER <= messages.byteSize()) {
        int length = messages.get(ValueLayout.JAVA_INT, at);
        if (length < HEADER || at + length > messages.byteSize()) {
          throw new KernelException(operation, what, Errno.EBADMSG.number());
        }
        boolean mine = messages.get(ValueLayout.JAVA_INT, at + 8) == sequence;
        int type = Short.toUnsignedInt(messages.get(ValueLayout.JAVA_SHORT, at + 4));
        complete &= (messages.get(ValueLayout.JAVA_SHORT, at + 6) & NLM_F_DUMP_INTR) == 0;
        MemorySegment body = messages.asSlice(at + HEADER, (long) length - HEADER);
        if (mine && end(type, body, operation, what)) {
          return complete;
        }
        if (mine) {
          receiver.message(type, body);
        }
        at += align(length);
      }
    }
  }

  private static boolean end(int type, MemorySegment body, String operation, String what) {
    if (type != NLMSG_ERROR && type != NLMSG_DONE) {
      return false;
    }
    int error = body.byteSize() < Integer.BYTES ? 0 : body.get(ValueLayout.JAVA_INT, 0);
    if (error < 0) {
      throw new KernelException(operation, what, -error);
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

  static long align(long length) {
    return (length + ALIGNMENT - 1L) & -ALIGNMENT;
  }
}
