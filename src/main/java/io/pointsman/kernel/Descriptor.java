// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.util.concurrent.atomic.AtomicInteger;

/** A file descriptor that is closed once. */
final class Descriptor implements AutoCloseable {
  private static final int CLOSED = -1;

  private final AtomicInteger fd;
  private final String name;

  Descriptor(int fd, String name) {
    this.fd = new AtomicInteger(fd);
    this.name = name;
  }

  int get() {
    int value = fd.get();
    if (value == CLOSED) {
      throw new IllegalStateException(name + " is closed");
    }
    return value;
  }

  @Override
  public void close() {
    int value = fd.getAndSet(CLOSED);
    if (value != CLOSED) {
      Libc.close(value);
    }
  }
}
