// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Sends many requests with few system calls: the kernel works them off in their order and answers
 * only those that fail and the last of a portion, which asks for it. For one thread.
 */
final class NetlinkBatch implements AutoCloseable {
  private static final int PORTION = 32 * 1024;

  /**
   * Each request may be refused, and a refusal takes up to a kilobyte of the socket's buffer beside
   * twice the request: this many fit into the kernel's usual 208 KiB (net.core.rmem_default).
   */
  private static final int MAX_REQUESTS = 100;

  private static final int LARGEST_MESSAGE = 4 * 1024;
  private static final int MAX_FAILURES = 10;

  private final NetlinkSocket socket;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment buffer = arena.allocate(PORTION + LARGEST_MESSAGE, Long.BYTES);
  private final NetlinkWriter writer = new NetlinkWriter(buffer);
  private final List<Request> requests = new ArrayList<>();
  private final List<KernelException> failures = new ArrayList<>();
  private long last;

  /** What was asked of what, and which refusals mean that it is so already. */
  private record Request(int sequence, String operation, Object object, Set<Errno> tolerated) {}

  NetlinkBatch(NetlinkSocket socket) {
    this.socket = socket;
  }

  /**
   * Collects a request; it is sent when enough have come, or by {@link #flush}.
   *
   * @param object named in the exception when the request fails
   * @param tolerated errors that are none, such as {@code ENOENT} for what shall be gone
   */
  void add(
      int type,
      int flags,
      String operation,
      Object object,
      Set<Errno> tolerated,
      Consumer<NetlinkWriter> body) {
    int sequence = socket.nextSequence();
    long at = writer.begin(type, NetlinkSocket.NLM_F_REQUEST | flags, sequence);
    body.accept(writer);
    writer.end(at);
    requests.add(new Request(sequence, operation, object, tolerated));
    if (writer.size() >= PORTION || requests.size() == MAX_REQUESTS) {
      writer.addFlags(at, NetlinkSocket.NLM_F_ACK);
      exchange();
    } else {
      last = at;
    }
  }

  /**
   * Sends what is left and waits until all of it is done.
   *
   * @throws KernelException the first failure since the last flush, the others suppressed in it;
   *     all requests that could be fulfilled are
   */
  void flush() {
    if (writer.size() > 0) {
      writer.addFlags(last, NetlinkSocket.NLM_F_ACK);
      exchange();
    }
    if (failures.isEmpty()) {
      return;
    }
    KernelException first = failures.getFirst();
    failures.stream().skip(1).forEach(first::addSuppressed);
    failures.clear();
    throw first;
  }

  /** Forgets what was collected and not sent. */
  void clear() {
    writer.clear();
    requests.clear();
    failures.clear();
  }

  @Override
  public void close() {
    arena.close();
  }

  private void exchange() {
    Request first = requests.getFirst();
    int end = requests.getLast().sequence();
    try {
      socket.send(buffer, writer.size(), first.operation(), first.object().toString());
      boolean ended = false;
      while (!ended) {
        ended = accept(socket.receive(first.operation(), first.object().toString()), end);
      }
    } finally {
      writer.clear();
      requests.clear();
    }
  }

  /** Takes answers; true when the last request was answered. */
  private boolean accept(MemorySegment messages, int end) {
    boolean ended = false;
    long at = 0;
    while (at + NetlinkSocket.HEADER + Integer.BYTES <= messages.byteSize()) {
      int length = messages.get(ValueLayout.JAVA_INT, at);
      int type = Short.toUnsignedInt(messages.get(ValueLayout.JAVA_SHORT, at + 4));
      int sequence = messages.get(ValueLayout.JAVA_INT, at + 8);
      Request request = type == NetlinkSocket.NLMSG_ERROR ? find(sequence) : null;
      if (request != null) {
        fail(request, -messages.get(ValueLayout.JAVA_INT, at + NetlinkSocket.HEADER));
        ended |= sequence == end;
      }
      at += NetlinkSocket.align(Math.max(length, NetlinkSocket.HEADER));
    }
    return ended;
  }

  /** The numbers grow, but not by one: the socket may have been asked other things meanwhile. */
  private @Nullable Request find(int sequence) {
    int low = 0;
    int high = requests.size() - 1;
    while (low <= high) {
      int middle = low + high >>> 1;
      Request request = requests.get(middle);
      if (request.sequence() == sequence) {
        return request;
      }
      if (request.sequence() - sequence < 0) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return null;
  }

  private void fail(Request request, int error) {
    if (error == 0 || request.tolerated().contains(Errno.of(error))) {
      return;
    }
    if (failures.size() < MAX_FAILURES) {
      failures.add(new KernelException(request.operation(), request.object().toString(), error));
    }
  }
}
