// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Tells when devices or addresses of a network namespace change. It does not say what: the listener
 * reads the whole again, so that nothing is lost when the kernel drops messages (ENOBUFS).
 */
public final class DeviceMonitor implements AutoCloseable {
  private static final int GROUPS = 0x1 | 0x10 | 0x100; // RTMGRP_LINK, _IPV4_IFADDR, _IPV6_IFADDR
  private static final short POLLIN = 1;
  private static final long POLLFD_SIZE = 8;
  private static final long POLLFD_EVENTS = 4;
  private static final long POLLFD_RESULT = 6;

  private final NetlinkSocket socket;
  private final Descriptor wakeUp;
  private final Runnable listener;
  private final Thread thread;
  private volatile boolean closed;
  private volatile long overruns;

  /**
   * Listens to the namespace that the calling thread is in. The listener is called on a thread of
   * the monitor, first at once, then after each change or several; it must not throw.
   */
  public DeviceMonitor(Runnable listener) {
    this.listener = listener;
    this.socket = new NetlinkSocket(NetlinkSocket.NETLINK_ROUTE, GROUPS);
    int fd = LibcSockets.eventfd();
    if (fd < 0) {
      socket.close();
      throw new KernelException("open", "eventfd", -fd);
    }
    this.wakeUp = new Descriptor(fd, "eventfd");
    this.thread = new Thread(this::run, "device-monitor");
    thread.setDaemon(true);
    thread.start();
  }

  /** How often the kernel dropped messages because they came faster than they were read. */
  public long overruns() {
    return overruns;
  }

  /** Stops listening; returns when the listener is not running and will not be called again. */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try (Arena arena = Arena.ofConfined()) {
      long written = LibcSockets.write(wakeUp.get(), arena.allocateFrom(ValueLayout.JAVA_LONG, 1L));
      if (written < 0) {
        throw new KernelException("write", "eventfd", (int) -written);
      }
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment descriptors = arena.allocate(2 * POLLFD_SIZE, Integer.BYTES);
      watch(descriptors, 0, socket.fd());
      watch(descriptors, POLLFD_SIZE, wakeUp.get());
      while (!closed) {
        listener.run();
        int ready = -Errno.EINTR.number();
        while (ready == -Errno.EINTR.number()) {
          ready = LibcSockets.poll(descriptors, 2);
        }
        if (ready < 0) {
          throw new KernelException("poll", "netlink socket", -ready);
        }
        if (descriptors.get(ValueLayout.JAVA_SHORT, POLLFD_RESULT) != 0) {
          drain();
        }
      }
    } finally {
      socket.close();
      wakeUp.close();
    }
  }

  /** Several messages are one change; an overrun is a change as well and ends with EAGAIN. */
  private void drain() {
    long result = 1;
    while (result != -Errno.EAGAIN.number()) {
      result = socket.drain();
      if (result == -Errno.ENOBUFS.number()) {
        overruns = overruns + 1; // only this thread writes
      }
      boolean expected =
          result >= 0
              || result == -Errno.EAGAIN.number()
              || result == -Errno.ENOBUFS.number()
              || result == -Errno.EINTR.number();
      if (!expected) {
        throw new KernelException("read", "netlink socket", (int) -result);
      }
    }
  }

  private static void watch(MemorySegment descriptors, long at, int fd) {
    descriptors.set(ValueLayout.JAVA_INT, at, fd);
    descriptors.set(ValueLayout.JAVA_SHORT, at + POLLFD_EVENTS, POLLIN);
  }
}
