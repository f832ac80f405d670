// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads devices, addresses and tc filters of the network namespace that the opening thread was in.
 * Failures are {@link KernelException}. For one thread at a time.
 */
public final class RtNetlink implements AutoCloseable {
  private static final int RTM_NEWLINK = 16;
  private static final int RTM_GETLINK = 18;
  private static final int RTM_NEWADDR = 20;
  private static final int RTM_GETADDR = 22;
  private static final int RTM_NEWROUTE = 24;
  private static final int RTM_GETROUTE = 26;
  private static final int RTM_NEWTFILTER = 44;
  private static final int RTM_GETTFILTER = 46;

  // struct ifinfomsg, then attributes
  private static final int IFINFO_SIZE = 16;
  private static final int IFINFO_INDEX = 4;
  private static final int IFINFO_FLAGS = 8;
  private static final int IFLA_IFNAME = 3;
  private static final int IFLA_MASTER = 10;
  private static final int IFLA_LINKINFO = 18;
  private static final int IFLA_EXT_MASK = 29;
  private static final int IFLA_INFO_KIND = 1;
  private static final int IFLA_INFO_SLAVE_KIND = 4;
  private static final int RTEXT_FILTER_SKIP_STATS = 1 << 3;

  // struct ifaddrmsg, then attributes
  private static final int IFADDR_SIZE = 8;
  private static final int IFADDR_FLAGS = 2;
  private static final int IFADDR_SCOPE = 3;
  private static final int IFADDR_INDEX = 4;
  private static final int IFA_ADDRESS = 1;
  private static final int IFA_LOCAL = 2;
  private static final int IFA_FLAGS = 8;

  // struct rtmsg, then attributes
  private static final int ROUTE_SIZE = 12;
  private static final int ROUTE_TYPE = 7;
  private static final int RTA_DST = 1;
  private static final byte RTN_BROADCAST = 3;
  private static final byte AF_INET = 2;

  // struct tcmsg, then attributes
  private static final int TCMSG_SIZE = 20;
  private static final int TCMSG_INDEX = 4;
  private static final int TCMSG_HANDLE = 8;
  private static final int TCMSG_PARENT = 12;
  private static final int TCMSG_INFO = 16;
  private static final int TCA_KIND = 1;
  private static final int TCA_OPTIONS = 2;
  private static final int TCA_BPF_NAME = 7;
  private static final int TCA_BPF_ID = 11;

  private final NetlinkSocket socket = new NetlinkSocket(NetlinkSocket.NETLINK_ROUTE, 0);

  /** All devices of the namespace. */
  public List<NetworkDevice> devices() {
    List<NetworkDevice> found = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment body = arena.allocate(IFINFO_SIZE + 8, Integer.BYTES);
      body.set(ValueLayout.JAVA_SHORT, IFINFO_SIZE, (short) 8);
      body.set(ValueLayout.JAVA_SHORT, IFINFO_SIZE + 2, (short) IFLA_EXT_MASK);
      body.set(ValueLayout.JAVA_INT, IFINFO_SIZE + 4, RTEXT_FILTER_SKIP_STATS);
      socket.dump(
          RTM_GETLINK,
          body,
          "network devices",
          found::clear,
          (type, message) -> {
            if (type == RTM_NEWLINK) {
              found.add(device(message));
            }
          });
    }
    return found;
  }

  /** All addresses of all devices of the namespace. */
  public List<DeviceAddress> addresses() {
    List<DeviceAddress> found = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment body = arena.allocate(IFADDR_SIZE, Integer.BYTES);
      socket.dump(
          RTM_GETADDR,
          body,
          "addresses",
          found::clear,
          (type, message) -> {
            DeviceAddress address = type == RTM_NEWADDR ? address(message) : null;
            if (address != null) {
              found.add(address);
            }
          });
    }
    return found;
  }

  /** The IPv4 addresses that the namespace's routes say are broadcast addresses. */
  public Set<InetAddress> broadcasts() {
    Set<InetAddress> found = new HashSet<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment body = arena.allocate(ROUTE_SIZE, Integer.BYTES);
      body.set(ValueLayout.JAVA_BYTE, 0, AF_INET);
      socket.dump(
          RTM_GETROUTE,
          body,
          "routes",
          found::clear,
          (type, message) -> {
            MemorySegment to = NetlinkSocket.attribute(message, ROUTE_SIZE, RTA_DST);
            boolean broadcast = message.get(ValueLayout.JAVA_BYTE, ROUTE_TYPE) == RTN_BROADCAST;
            if (type == RTM_NEWROUTE && broadcast && to != null) {
              found.add(destination(to));
            }
          });
    }
    return found;
  }

  private static InetAddress destination(MemorySegment value) {
    try {
      return InetAddress.getByAddress(value.toArray(ValueLayout.JAVA_BYTE));
    } catch (UnknownHostException e) {
      throw new IllegalStateException("a route's destination of " + value.byteSize() + " bytes", e);
    }
  }

  /** The classic tc filters with BPF programs at a device; none when it has no clsact. */
  public List<TcFilterInfo> filters(int ifindex, TcDirection direction) {
    List<TcFilterInfo> found = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment body = arena.allocate(TCMSG_SIZE, Integer.BYTES);
      body.set(ValueLayout.JAVA_INT, TCMSG_INDEX, ifindex);
      body.set(ValueLayout.JAVA_INT, TCMSG_PARENT, direction.parent());
      socket.dump(
          RTM_GETTFILTER,
          body,
          "tc filters of device index " + ifindex,
          found::clear,
          (type, message) -> {
            TcFilterInfo filter = type == RTM_NEWTFILTER ? filter(message, direction) : null;
            if (filter != null) {
              found.add(filter);
            }
          });
    }
    return found;
  }

  @Override
  public void close() {
    socket.close();
  }

  private static NetworkDevice device(MemorySegment message) {
    MemorySegment info = NetlinkSocket.attribute(message, IFINFO_SIZE, IFLA_LINKINFO);
    return new NetworkDevice(
        message.get(ValueLayout.JAVA_INT, IFINFO_INDEX),
        NetlinkSocket.text(message, IFINFO_SIZE, IFLA_IFNAME),
        message.get(ValueLayout.JAVA_INT, IFINFO_FLAGS),
        NetlinkSocket.number(message, IFINFO_SIZE, IFLA_MASTER),
        info == null ? "" : NetlinkSocket.text(info, 0, IFLA_INFO_KIND),
        info == null ? "" : NetlinkSocket.text(info, 0, IFLA_INFO_SLAVE_KIND));
  }

  private static @Nullable DeviceAddress address(MemorySegment message) {
    // IFA_ADDRESS is the peer's on a point-to-point device; IFA_LOCAL is then this end's.
    MemorySegment local = NetlinkSocket.attribute(message, IFADDR_SIZE, IFA_LOCAL);
    MemorySegment value =
        local != null ? local : NetlinkSocket.attribute(message, IFADDR_SIZE, IFA_ADDRESS);
    if (value == null) {
      return null;
    }
    MemorySegment flags = NetlinkSocket.attribute(message, IFADDR_SIZE, IFA_FLAGS);
    try {
      return new DeviceAddress(
          message.get(ValueLayout.JAVA_INT, IFADDR_INDEX),
          InetAddress.getByAddress(value.toArray(ValueLayout.JAVA_BYTE)),
          Byte.toUnsignedInt(message.get(ValueLayout.JAVA_BYTE, IFADDR_SCOPE)),
          flags == null
              ? Byte.toUnsignedInt(message.get(ValueLayout.JAVA_BYTE, IFADDR_FLAGS))
              : flags.get(ValueLayout.JAVA_INT, 0));
    } catch (UnknownHostException e) {
      return null; // a family with addresses of another length
    }
  }

  private static @Nullable TcFilterInfo filter(MemorySegment message, TcDirection direction) {
    MemorySegment options = NetlinkSocket.attribute(message, TCMSG_SIZE, TCA_OPTIONS);
    if (options == null || !NetlinkSocket.text(message, TCMSG_SIZE, TCA_KIND).equals("bpf")) {
      return null;
    }
    int id = NetlinkSocket.number(options, 0, TCA_BPF_ID);
    return id == 0
        ? null
        : new TcFilterInfo(
            message.get(ValueLayout.JAVA_INT, TCMSG_INDEX),
            direction,
            message.get(ValueLayout.JAVA_INT, TCMSG_INFO) >>> 16,
            message.get(ValueLayout.JAVA_INT, TCMSG_HANDLE),
            new AttachedProgram(id, NetlinkSocket.text(options, 0, TCA_BPF_NAME)));
  }
}
