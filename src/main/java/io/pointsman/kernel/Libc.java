// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.LONG;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The few calls of the C library that this package needs beside libbpf. */
final class Libc {
  static final int O_RDONLY = 0;
  static final int O_CLOEXEC = 0x80000;

  private static final int F_DUPFD_CLOEXEC = 1030;
  // struct statfs (statfs(2)) on 64-bit machines: f_type is the first long; 120 bytes in all.
  private static final long STATFS_SIZE = 256;

  private static final MethodHandle CLOSE =
      Native.bindErrno(Native.libc(), "close", FunctionDescriptor.of(INT, INT));
  private static final MethodHandle OPEN =
      Native.bindVariadic("open", FunctionDescriptor.of(INT, POINTER, INT, INT), 2);
  private static final MethodHandle FCNTL =
      Native.bindVariadic("fcntl", FunctionDescriptor.of(INT, INT, INT, INT), 2);
  private static final MethodHandle STATFS =
      Native.bindErrno(Native.libc(), "statfs", FunctionDescriptor.of(INT, POINTER, POINTER));
  private static final MethodHandle SETNS =
      Native.bindErrno(Native.libc(), "setns", FunctionDescriptor.of(INT, INT, INT));
  private static final MethodHandle MALLOC =
      Native.bind(Native.libc(), "malloc", FunctionDescriptor.of(POINTER, LONG));
  private static final MethodHandle FREE =
      Native.bind(Native.libc(), "free", FunctionDescriptor.ofVoid(POINTER));

  private Libc() {}

  static void close(int fd) {
    try {
      int result = (int) CLOSE.invokeExact(Native.capture(), fd);
      if (result < 0 && Native.errno() == Errno.EBADF.number()) {
        throw new IllegalStateException("closed a descriptor twice: " + fd);
      }
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** Opens read-only with O_CLOEXEC; a failure is a {@link KernelException}. */
  static int open(String path) {
    try (Arena arena = Arena.ofConfined()) {
      int fd =
          (int)
              OPEN.invokeExact(Native.capture(), arena.allocateFrom(path), O_RDONLY | O_CLOEXEC, 0);
      return check(fd, "open", path);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int duplicate(int fd) {
    try {
      int copy = (int) FCNTL.invokeExact(Native.capture(), fd, F_DUPFD_CLOEXEC, 3);
      return check(copy, "duplicate descriptor", Integer.toString(fd));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** The magic number of the file system at a path, or a negative error number. */
  static long fileSystemMagic(String path) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment buffer = arena.allocate(STATFS_SIZE, Long.BYTES);
      int result = (int) STATFS.invokeExact(Native.capture(), arena.allocateFrom(path), buffer);
      return result < 0 ? -Native.errno() : buffer.get(ValueLayout.JAVA_LONG, 0);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** Moves the calling thread into a namespace. */
  static void setNamespace(int fd, String name) {
    try {
      check((int) SETNS.invokeExact(Native.capture(), fd, 0), "enter namespace", name);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** Memory that costs nothing until it is touched, for buffers that are rarely filled. */
  @SuppressWarnings("restricted")
  static MemorySegment lazyBuffer(long size, Arena owner) {
    try {
      MemorySegment memory = (MemorySegment) MALLOC.invokeExact(size);
      if (memory.address() == 0) {
        throw new OutOfMemoryError("malloc of " + size + " bytes");
      }
      MemorySegment buffer = memory.reinterpret(size, owner, Libc::free);
      buffer.set(ValueLayout.JAVA_BYTE, 0, (byte) 0);
      return buffer;
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static void free(MemorySegment memory) {
    try {
      FREE.invokeExact(memory);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static int check(int result, String operation, String object) {
    if (result < 0) {
      throw new KernelException(operation, object, Native.errno());
    }
    return result;
  }
}
