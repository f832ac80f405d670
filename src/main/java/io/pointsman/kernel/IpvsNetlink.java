// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Reads and changes the virtual servers of ip_vs in the network namespace that the opening thread
 * was in, by generic netlink (linux/ip_vs.h). Changes are collected and sent in portions, in their
 * order; {@link #flush} waits for them. Failures are {@link KernelException} and name the virtual
 * and the real server. For one thread at a time.
 */
public final class IpvsNetlink implements AutoCloseable {
  static final String FAMILY = "IPVS";
  static final int VERSION = 1;

  static final int CMD_NEW_SERVICE = 1;
  static final int CMD_SET_SERVICE = 2;
  static final int CMD_DEL_SERVICE = 3;
  static final int CMD_GET_SERVICE = 4;
  static final int CMD_NEW_DEST = 5;
  static final int CMD_SET_DEST = 6;
  static final int CMD_DEL_DEST = 7;
  static final int CMD_GET_DEST = 8;
  static final int CMD_SET_CONFIG = 12;
  static final int CMD_GET_CONFIG = 13;

  private final GenericNetlink netlink;

  private IpvsNetlink(GenericNetlink netlink) {
    this.netlink = netlink;
  }

  /** Opens ip_vs; empty when the kernel does not have it. */
  public static Optional<IpvsNetlink> open() {
    return GenericNetlink.open(FAMILY, VERSION).map(IpvsNetlink::new);
  }

  /** All virtual servers but those that balance packets by their mark. */
  public List<VirtualServerInfo> virtualServers() {
    List<VirtualServerInfo> found = new ArrayList<>();
    netlink.dump(
        CMD_GET_SERVICE,
        "virtual servers",
        writer -> {},
        found::clear,
        body -> {
          VirtualServerInfo info = IpvsCodec.readVirtualServer(body, GenericNetlink.HEADER);
          if (info != null) {
            found.add(info);
          }
        });
    return found;
  }

  /** Whether there is this virtual server, whoever made it. */
  public boolean has(VirtualServer server) {
    boolean[] found = {false};
    try {
      netlink.ask(
          CMD_GET_SERVICE,
          "read virtual server",
          server.toString(),
          writer -> IpvsCodec.writeName(writer, server),
          body -> found[0] = true);
    } catch (KernelException e) {
      if (e.errno() != Errno.ESRCH) {
        throw e;
      }
    }
    return found[0];
  }

  /** The real servers of a virtual one, in the kernel's order. */
  public List<RealServerInfo> realServers(VirtualServer server) {
    List<RealServerInfo> found = new ArrayList<>();
    netlink.dump(
        CMD_GET_DEST,
        "real servers of " + server,
        writer -> IpvsCodec.writeName(writer, server),
        found::clear,
        body -> {
          RealServerInfo info =
              IpvsCodec.readRealServer(body, GenericNetlink.HEADER, server.isV6());
          if (info != null) {
            found.add(info);
          }
        });
    return found;
  }

  /** The timeouts of this network namespace. */
  public IpvsTimeouts timeouts() {
    IpvsTimeouts[] found = {new IpvsTimeouts(0, 0, 0)};
    netlink.ask(
        CMD_GET_CONFIG,
        "read",
        "timeouts of ip_vs",
        writer -> {},
        body -> found[0] = IpvsCodec.readTimeouts(body, GenericNetlink.HEADER));
    return found[0];
  }

  /** Sets the timeouts that are not 0. */
  public void setTimeouts(IpvsTimeouts timeouts) {
    netlink.ask(
        CMD_SET_CONFIG,
        "set",
        "timeouts of ip_vs to " + timeouts,
        writer -> IpvsCodec.writeTimeouts(writer, timeouts),
        MemorySegment::byteSize);
  }

  /** Collects a new virtual server. */
  public void add(VirtualServerInfo info) {
    netlink.add(
        CMD_NEW_SERVICE,
        "add virtual server",
        info.server(),
        Set.of(),
        writer -> IpvsCodec.writeVirtualServer(writer, info));
  }

  /** Collects a change of scheduler, flags or timeout; connections stay. */
  public void edit(VirtualServerInfo info) {
    netlink.add(
        CMD_SET_SERVICE,
        "edit virtual server",
        info.server(),
        Set.of(),
        writer -> IpvsCodec.writeVirtualServer(writer, info));
  }

  /** Collects that a virtual server shall be gone. */
  public void delete(VirtualServer server) {
    netlink.add(
        CMD_DEL_SERVICE,
        "delete virtual server",
        server,
        Set.of(Errno.ESRCH),
        writer -> IpvsCodec.writeName(writer, server));
  }

  /** Collects a new real server that is reached by NAT. */
  public void add(VirtualServer server, RealServer real, int weight) {
    collect(CMD_NEW_DEST, "add real server", server, real, weight, Set.of());
  }

  /** Collects another weight. */
  public void edit(VirtualServer server, RealServer real, int weight) {
    collect(CMD_SET_DEST, "edit real server", server, real, weight, Set.of());
  }

  /** Collects that a real server shall be gone; with it go its connections. */
  public void delete(VirtualServer server, RealServer real) {
    Set<Errno> gone = Set.of(Errno.ENOENT, Errno.ESRCH);
    netlink.add(
        CMD_DEL_DEST,
        "delete real server",
        new Pair(server, real),
        gone,
        writer -> IpvsCodec.writeNames(writer, server, real));
  }

  /** Waits until the collected changes are done; a failure of one does not hold the others. */
  public void flush() {
    netlink.flush();
  }

  /** Forgets changes that were collected and not sent. */
  public void clear() {
    netlink.clear();
  }

  @Override
  public void close() {
    netlink.close();
  }

  private void collect(
      int command,
      String operation,
      VirtualServer server,
      RealServer real,
      int weight,
      Set<Errno> tolerated) {
    netlink.add(
        command,
        operation,
        new Pair(server, real),
        tolerated,
        writer -> IpvsCodec.writeRealServer(writer, server, real, weight));
  }

  /** Named in the message of a failure. */
  private record Pair(VirtualServer server, RealServer real) {
    @Override
    public String toString() {
      return real + " of virtual server " + server;
    }
  }
}
