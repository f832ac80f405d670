// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * The flows that the kernel tracks, in the network namespace that the opening thread was in. Needs
 * CAP_NET_ADMIN. Failures are {@link KernelException}. For one thread at a time.
 */
public final class Conntrack implements AutoCloseable {
  private static final int NETLINK_NETFILTER = 12;

  private static final Set<Errno> MISSING =
      EnumSet.of(Errno.EINVAL, Errno.EOPNOTSUPP, Errno.EPROTONOSUPPORT);

  private final NetlinkSocket socket = new NetlinkSocket(NETLINK_NETFILTER, 0);
  private final NetlinkBatch batch = new NetlinkBatch(socket);

  /**
   * One flow.
   *
   * @param id the kernel's own, the same as long as the flow is there
   * @param original what the client sends
   * @param reply what comes back to the kernel; after translation it is not the reverse
   * @param translated whether a rule rewrote the destination; ip_vs does so without this
   * @param answered whether anything came back
   * @param assured whether a connection is established, or datagrams went both ways for a while
   * @param closing whether a TCP connection has ended
   * @param secondsLeft after how many seconds without a packet the kernel forgets it
   * @param zoned whether it is in a zone of somebody's own, where the same tuple is another flow
   */
  public record Flow(
      int id,
      FlowTuple original,
      FlowTuple reply,
      boolean translated,
      boolean answered,
      boolean assured,
      boolean closing,
      int secondsLeft,
      boolean zoned) {
    /** 4 or 16 bytes: where the client sent its first packet. */
    public byte[] destination() {
      return original.destination().getAddress();
    }

    /** Where the client sent its first packet. */
    public int port() {
      return original.destinationPort();
    }

    /** The IANA number. */
    public int protocol() {
      return original.protocol();
    }
  }

  /** Whether a kernel without nf_conntrack_netlink says this: nobody can ask it for flows. */
  public static boolean isMissing(KernelException e) {
    return MISSING.contains(e.errno());
  }

  /** Hands over all flows of one family. */
  public static void forEach(boolean v6, Consumer<Flow> consumer) {
    try (Conntrack conntrack = new Conntrack()) {
      conntrack.read(v6, flow -> true).forEach(consumer);
    }
  }

  /** The flows of one family that are wanted. */
  public List<Flow> read(boolean v6, Predicate<Flow> wanted) {
    List<Flow> flows = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment body = arena.allocate(ConntrackCodec.NFGEN_SIZE, Integer.BYTES);
      body.set(ValueLayout.JAVA_BYTE, 0, ConntrackCodec.family(v6));
      socket.dump(
          ConntrackCodec.GET,
          body,
          "conntrack",
          flows::clear,
          (type, message) -> {
            Flow flow = type == ConntrackCodec.NEW ? ConntrackCodec.flow(message) : null;
            if (flow != null && wanted.test(flow)) {
              flows.add(flow);
            }
          });
    }
    return flows;
  }

  /** The flows of both families that are wanted. */
  public List<Flow> read(Predicate<Flow> wanted) {
    List<Flow> flows = read(false, wanted);
    flows.addAll(read(true, wanted));
    return flows;
  }

  /** Collects that the flow that has this tuple in either direction shall be gone. */
  public void delete(FlowTuple tuple) {
    batch.add(
        ConntrackCodec.DELETE,
        0,
        "delete flow from conntrack",
        tuple,
        Set.of(Errno.ENOENT),
        writer -> ConntrackCodec.writeName(writer, tuple));
  }

  /**
   * Collects an established flow that is translated: the packets of {@code original} go to where
   * {@code reply} comes from, and come from where it goes to. EEXIST when a flow has either tuple.
   *
   * @param closing whether a connection has begun to end, so that a SYN with its ends begins
   *     another
   */
  public void addTranslated(
      FlowTuple original, FlowTuple reply, boolean closing, int timeoutSeconds) {
    batch.add(
        ConntrackCodec.NEW,
        NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_EXCL,
        "add flow to conntrack",
        original,
        Set.of(),
        writer -> ConntrackCodec.writeTranslated(writer, original, reply, closing, timeoutSeconds));
  }

  /** Does what was collected, in one go; a failure is that of the first request that failed. */
  public void flush() {
    batch.flush();
  }

  @Override
  public void close() {
    batch.close();
    socket.close();
  }
}
