// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A device of kind dummy that holds addresses, which makes them the machine's own; packets never
 * pass it. Its alias (ip-link(8)) is a note that stays as long as the device. Works on the network
 * namespace of the thread that opened it. Failures are {@link KernelException}. For one thread at a
 * time.
 */
public final class DummyDevice implements AutoCloseable {
  private static final String KIND = "dummy";
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int REQUEST_SIZE = 512;

  private static final int RTM_NEWLINK = 16;
  private static final int RTM_DELLINK = 17;
  private static final int RTM_GETLINK = 18;
  private static final int RTM_SETLINK = 19;
  private static final int RTM_NEWADDR = 20;
  private static final int RTM_DELADDR = 21;
  private static final int IFINFO_SIZE = 16;
  private static final int IFINFO_INDEX = 4;
  private static final int IFLA_IFNAME = 3;
  private static final int IFLA_LINKINFO = 18;
  private static final int IFLA_IFALIAS = 20;
  private static final int IFLA_INFO_KIND = 1;
  private static final int IFA_ADDRESS = 1;
  private static final int IFA_LOCAL = 2;
  private static final int IFA_F_NODAD = 2;

  private final String name;
  private final NetlinkSocket socket = new NetlinkSocket(NetlinkSocket.NETLINK_ROUTE, 0);
  private final NetlinkBatch batch = new NetlinkBatch(socket);

  /** What the kernel tells of the device. */
  private record Link(int index, String kind, String alias) {}

  /** Looks at a device of this name; it need not be there. */
  public DummyDevice(String name) {
    this.name = name;
  }

  /** Whether the device is there. */
  public boolean exists() {
    return find() != null;
  }

  /** The alias; empty when there is none, or no device. */
  public String alias() {
    Link link = find();
    return link == null ? "" : link.alias();
  }

  /**
   * Makes the device when it is not there; it stays down, which is enough to hold addresses.
   *
   * @return whether it was made
   */
  public boolean create() {
    if (find() != null) {
      return false;
    }
    ask(
        RTM_NEWLINK,
        NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_EXCL,
        "create",
        writer -> {
          putLink(writer, 0);
          writer.attribute(IFLA_IFNAME, name);
          long info = writer.beginNested(IFLA_LINKINFO);
          writer.attribute(IFLA_INFO_KIND, KIND);
          writer.endNested(info);
        });
    return true;
  }

  /** Writes the alias, at most 255 characters. */
  public void setAlias(String alias) {
    int index = index();
    ask(
        RTM_SETLINK,
        0,
        "set alias of",
        writer -> {
          putLink(writer, index);
          writer.attribute(IFLA_IFALIAS, alias);
        });
  }

  /** Takes the device away with its addresses, if it is there. */
  public void delete() {
    Link link = find();
    if (link != null) {
      ask(RTM_DELLINK, 0, "delete", writer -> putLink(writer, link.index()));
    }
  }

  /** The addresses of the device; none when it is not there. */
  public Set<InetAddress> addresses() {
    Link link = find();
    if (link == null) {
      return new HashSet<>();
    }
    Set<InetAddress> found = addresses(each -> each.index() == link.index());
    found.removeIf(InetAddress::isLinkLocalAddress);
    return found;
  }

  /** The addresses of all other devices, also those that this one has as well. */
  public Set<InetAddress> elsewhere() {
    Link link = find();
    return addresses(each -> link == null || each.index() != link.index());
  }

  private static Set<InetAddress> addresses(Predicate<DeviceAddress> which) {
    Set<InetAddress> found = new HashSet<>();
    try (RtNetlink netlink = new RtNetlink()) {
      for (DeviceAddress address : netlink.addresses()) {
        if (which.test(address)) {
          found.add(address.address());
        }
      }
    }
    return found;
  }

  /** Adds addresses, each of them alone; those that it has already stay. */
  public void add(Collection<InetAddress> addresses) {
    change(
        RTM_NEWADDR,
        NetlinkSocket.NLM_F_CREATE | NetlinkSocket.NLM_F_EXCL,
        "add address",
        addresses,
        Set.of(Errno.EEXIST));
  }

  /** Takes addresses away, if they are there. */
  public void remove(Collection<InetAddress> addresses) {
    change(RTM_DELADDR, 0, "delete address", addresses, Set.of(Errno.EADDRNOTAVAIL));
  }

  @Override
  public void close() {
    batch.close();
    socket.close();
  }

  private void change(
      int type,
      int flags,
      String operation,
      Collection<InetAddress> addresses,
      Set<Errno> tolerated) {
    if (addresses.isEmpty()) {
      return;
    }
    int index = index();
    for (InetAddress address : addresses) {
      String object = address.getHostAddress() + " of device " + name;
      batch.add(
          type, flags, operation, object, tolerated, writer -> putAddress(writer, index, address));
    }
    batch.flush();
  }

  private int index() {
    Link link = find();
    if (link == null) {
      throw new KernelException("find", "device " + name, Errno.ENODEV.number());
    }
    return link.index();
  }

  private @Nullable Link find() {
    @Nullable Link[] found = {null};
    try (Arena arena = Arena.ofConfined()) {
      NetlinkWriter writer = new NetlinkWriter(arena.allocate(REQUEST_SIZE, Integer.BYTES));
      putLink(writer, 0);
      writer.attribute(IFLA_IFNAME, name);
      socket.ask(
          RTM_GETLINK,
          writer.written(),
          "find",
          "device " + name,
          (type, message) -> found[0] = link(message));
    } catch (KernelException e) {
      if (e.errno() != Errno.ENODEV) {
        throw e;
      }
    }
    Link link = found[0];
    if (link != null && !link.kind().equals(KIND)) {
      throw new KernelException(
          "use",
          "device " + name + ", which is no dummy but " + link.kind(),
          Errno.EEXIST.number());
    }
    return link;
  }

  private static Link link(MemorySegment message) {
    MemorySegment info = NetlinkSocket.attribute(message, IFINFO_SIZE, IFLA_LINKINFO);
    return new Link(
        message.get(ValueLayout.JAVA_INT, IFINFO_INDEX),
        info == null ? "" : NetlinkSocket.text(info, 0, IFLA_INFO_KIND),
        NetlinkSocket.text(message, IFINFO_SIZE, IFLA_IFALIAS));
  }

  private void ask(int type, int flags, String operation, Consumer<NetlinkWriter> body) {
    batch.add(type, flags, operation, "device " + name, Set.of(), body);
    batch.flush();
  }

  /** struct ifinfomsg. */
  private static void putLink(NetlinkWriter writer, int index) {
    writer.putInt(0);
    writer.putInt(index);
    writer.putInt(0);
    writer.putInt(0);
  }

  /** struct ifaddrmsg and the address. */
  private static void putAddress(NetlinkWriter writer, int index, InetAddress address) {
    boolean v6 = address instanceof Inet6Address;
    byte[] bytes = address.getAddress();
    writer.putByte(v6 ? AF_INET6 : AF_INET);
    writer.putByte(bytes.length * Byte.SIZE);
    writer.putByte(v6 ? IFA_F_NODAD : 0);
    writer.putByte(0);
    writer.putInt(index);
    writer.attribute(IFA_LOCAL, bytes);
    writer.attribute(IFA_ADDRESS, bytes);
  }
}
