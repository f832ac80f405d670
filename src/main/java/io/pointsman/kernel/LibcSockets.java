// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.LONG;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/** Socket calls of the C library; each returns a negative error number when it fails. */
final class LibcSockets {
  static final int AF_NETLINK = 16;
  static final int SOCK_RAW_CLOEXEC = 3 | 0x80000;
  static final int EFD_CLOEXEC = 0x80000;
  static final int MSG_DONTWAIT = 0x40;
  static final int MSG_TRUNC = 0x20;
  static final int SOL_SOCKET = 1;
  static final int SO_RCVBUF = 8;
  static final int SO_RCVTIMEO = 20;
  static final int SO_NETNS_COOKIE = 71;

  private static final MethodHandle SOCKET =
      bind("socket", FunctionDescriptor.of(INT, INT, INT, INT));
  private static final MethodHandle BIND =
      bind("bind", FunctionDescriptor.of(INT, INT, POINTER, INT));
  private static final MethodHandle SEND =
      bind("send", FunctionDescriptor.of(LONG, INT, POINTER, LONG, INT));
  private static final MethodHandle RECV =
      bind("recv", FunctionDescriptor.of(LONG, INT, POINTER, LONG, INT));
  private static final MethodHandle POLL =
      bind("poll", FunctionDescriptor.of(INT, POINTER, LONG, INT));
  private static final MethodHandle EVENTFD = bind("eventfd", FunctionDescriptor.of(INT, INT, INT));
  private static final MethodHandle WRITE =
      bind("write", FunctionDescriptor.of(LONG, INT, POINTER, LONG));
  private static final MethodHandle GETSOCKOPT =
      bind("getsockopt", FunctionDescriptor.of(INT, INT, INT, INT, POINTER, POINTER));
  private static final MethodHandle SETSOCKOPT =
      bind("setsockopt", FunctionDescriptor.of(INT, INT, INT, INT, POINTER, INT));

  private LibcSockets() {}

  private static MethodHandle bind(String name, FunctionDescriptor type) {
    return Native.bindErrno(Native.libc(), name, type);
  }

  static int socket(int family, int type, int protocol) {
    try {
      return result((int) SOCKET.invokeExact(Native.capture(), family, type, protocol));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int bind(int fd, MemorySegment address) {
    try {
      int size = (int) address.byteSize();
      return result((int) BIND.invokeExact(Native.capture(), fd, address, size));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static long send(int fd, MemorySegment data, long size) {
    try {
      return result((long) SEND.invokeExact(Native.capture(), fd, data, size, 0));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static long receive(int fd, MemorySegment buffer, int flags) {
    try {
      long size = buffer.byteSize();
      return result((long) RECV.invokeExact(Native.capture(), fd, buffer, size, flags));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** Waits without a limit until one of several struct pollfd is ready. */
  static int poll(MemorySegment descriptors, long count) {
    try {
      return result((int) POLL.invokeExact(Native.capture(), descriptors, count, -1));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int eventfd() {
    try {
      return result((int) EVENTFD.invokeExact(Native.capture(), 0, EFD_CLOEXEC));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static long write(int fd, MemorySegment data) {
    try {
      return result((long) WRITE.invokeExact(Native.capture(), fd, data, data.byteSize()));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int getOption(int fd, int option, MemorySegment value, MemorySegment size) {
    try {
      return result(
          (int) GETSOCKOPT.invokeExact(Native.capture(), fd, SOL_SOCKET, option, value, size));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int setOption(int fd, int option, MemorySegment value) {
    try {
      int size = (int) value.byteSize();
      return result(
          (int) SETSOCKOPT.invokeExact(Native.capture(), fd, SOL_SOCKET, option, value, size));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static int result(int result) {
    return result < 0 ? -Native.errno() : result;
  }

  private static long result(long result) {
    return result < 0 ? -Native.errno() : result;
  }
}
