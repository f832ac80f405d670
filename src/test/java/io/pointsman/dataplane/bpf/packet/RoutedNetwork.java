// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import io.pointsman.kernel.BpfLink;
import io.pointsman.kernel.BpfObject;
import io.pointsman.kernel.Commands;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.RtNetlink;
import io.pointsman.kernel.TcDirection;
import io.pointsman.kernel.TcFilter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A client, a router that runs the packet programs, and a server: three namespaces in a row. */
final class RoutedNetwork implements AutoCloseable {
  static final String CLIENT_V4 = "198.51.100.5";
  static final String CLIENT_V6 = "2001:db8:5::5";
  static final String SERVER_V4 = "10.244.1.9";
  static final String SERVER_V6 = "fd00:244:1::9";
  static final String ROUTER_V4 = "198.51.100.1";
  static final String ROUTER_V6 = "2001:db8:5::1";

  /** How the programs are attached. */
  enum Attachment {
    TCX,
    CLSACT
  }

  final KernelSandbox client = new KernelSandbox();
  final KernelSandbox router = new KernelSandbox();
  final KernelSandbox server = new KernelSandbox();
  private final Attachment attachment;
  private final BpfObject object = PacketPrograms.load("packet", Map.of());
  final Tables tables = new Tables(object);
  private final List<BpfLink> links = new ArrayList<>();
  private final Map<String, Integer> devices = new HashMap<>();

  RoutedNetwork(Attachment attachment) {
    this.attachment = attachment;
    cable();
    sysctl("net.ipv4.ip_forward=1");
    sysctl("net.ipv6.conf.all.forwarding=1");
    sysctl("net.ipv4.conf.all.rp_filter=1");
    router.inNamespace(this::attachAll);
    tables.phase(Tables.ACTIVE);
    tables.nodeAddress(Endpoint.of(ROUTER_V4, 0).address());
    tables.nodeAddress(Endpoint.of(ROUTER_V6, 0).address());
    addresses("r0", ROUTER_V4, ROUTER_V6);
    addresses("r1", "10.244.1.1", "fd00:244:1::1");
    // Conntrack sees the flows whole: nothing is invalid to it.
    nft("add table inet watch");
    nft("add chain inet watch forward { type filter hook forward priority 0; }");
    nft("add rule inet watch forward ct state invalid drop");
  }

  private void cable() {
    router.ip("link", "add", "r0", "type", "veth", "peer", "c0", "netns", client.namespace());
    router.ip("link", "add", "r1", "type", "veth", "peer", "s0", "netns", server.namespace());
    router.ipBatch(
        """
        addr add 198.51.100.1/24 dev r0
        addr add 2001:db8:5::1/64 dev r0 nodad
        addr add 10.244.1.1/24 dev r1
        addr add fd00:244:1::1/64 dev r1 nodad
        link set r0 up
        link set r1 up
        """);
    host(client, "c0", CLIENT_V4 + "/24", CLIENT_V6 + "/64", ROUTER_V4, ROUTER_V6);
    host(server, "s0", SERVER_V4 + "/24", SERVER_V6 + "/64", "10.244.1.1", "fd00:244:1::1");
  }

  private static void host(
      KernelSandbox at, String device, String v4, String v6, String via4, String via6) {
    at.ip("addr", "add", v4, "dev", device);
    at.ip("addr", "add", v6, "dev", device, "nodad");
    at.ip("link", "set", device, "up");
    at.ip("route", "add", "default", "via", via4);
    at.ip("route", "add", "default", "via", via6);
  }

  private void addresses(String device, String v4, String v6) {
    tables.device(index(device), Endpoint.of(v4, 0).address(), Endpoint.of(v6, 0).address());
  }

  private boolean attachAll() throws Exception {
    try (RtNetlink netlink = new RtNetlink()) {
      netlink.devices().forEach(device -> devices.put(device.name(), device.index()));
    }
    attach(index("r0"));
    attach(index("r1"));
    return true;
  }

  /** Attaches the programs to a device; call it inside the router's namespace. */
  void attach(int device) {
    for (TcDirection direction : TcDirection.values()) {
      var program = object.program(direction == TcDirection.INGRESS ? "ingress" : "egress");
      switch (attachment) {
        case TCX -> links.add(BpfLink.attachTcx(program, device, direction));
        case CLSACT -> TcFilter.attach(program, device, direction, 1, 1);
      }
    }
  }

  /** Has the router's stack give what it sends to the server an address and a port of its own. */
  void masqueradeTowardsServer(int lowPort, int highPort) {
    nft("add table inet nat");
    nft("add chain inet nat out { type nat hook postrouting priority 100; }");
    nft(
        "add rule inet nat out oifname r1 meta l4proto { tcp, udp } masquerade to :%d-%d fully-random"
            .formatted(lowPort, highPort));
  }

  int index(String device) {
    Integer index = devices.get(device);
    if (index == null) {
      throw new AssertionError("no device " + device);
    }
    return index;
  }

  void sysctl(String setting) {
    String[] parts = setting.split("=");
    router.inNamespace(
        () -> Files.writeString(Path.of("/proc/sys", parts[0].replace('.', '/')), parts[1]));
  }

  private void nft(String rule) {
    Commands.run("ip", "netns", "exec", router.namespace(), "nft", rule);
  }

  @Override
  public void close() {
    links.forEach(BpfLink::close);
    client.close();
    server.close();
    router.close();
    object.close();
  }
}
