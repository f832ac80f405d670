// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Runs in a kernel with ip_vs: what is written is what is read, and ipvsadm reads the same. */
public class IpvsNetlinkInside {
  private static final VirtualServer V4 = new VirtualServer(address("10.96.0.10"), 53, 17);
  private static final VirtualServer V6 = new VirtualServer(address("fd00:10:96::a"), 443, 6);

  private final KernelSandbox sandbox = new KernelSandbox();

  @AfterEach
  void close() {
    sandbox.close();
  }

  @Test
  void writesAndReadsServersOfBothFamilies() {
    RealServer first = new RealServer(address("10.244.1.7"), 8080);
    RealServer second = new RealServer(address("10.244.2.7"), 8081);
    RealServer third = new RealServer(address("fd00:244::7"), 8443);
    sandbox.inNamespace(
        () -> {
          try (IpvsNetlink ipvs = IpvsNetlink.open().orElseThrow()) {
            ipvs.add(new VirtualServerInfo(V4, "rr", 0, 0));
            ipvs.add(V4, first, 1);
            ipvs.add(V4, second, 1);
            ipvs.add(new VirtualServerInfo(V6, "mh", VirtualServerInfo.SCHEDULER_2, 0));
            ipvs.add(V6, third, 1);
            ipvs.flush();
            ipvs.edit(V4, second, 0);
            ipvs.edit(new VirtualServerInfo(V4, "lc", 0, 0));
            ipvs.flush();
            assertThat(ipvs.virtualServers())
                .containsExactlyInAnyOrder(
                    new VirtualServerInfo(V4, "lc", VirtualServerInfo.HASHED, 0),
                    new VirtualServerInfo(
                        V6, "mh", VirtualServerInfo.HASHED | VirtualServerInfo.SCHEDULER_2, 0));
            assertThat(ipvs.realServers(V4))
                .containsExactlyInAnyOrder(
                    new RealServerInfo(first, 1, 0, 0, 0, 0),
                    new RealServerInfo(second, 0, 0, 0, 0, 0));
            assertThat(ipvs.realServers(V6))
                .containsExactly(new RealServerInfo(third, 1, 0, 0, 0, 0));
          }
          return true;
        });
    String seen = Commands.run("ip", "netns", "exec", sandbox.namespace(), "ipvsadm", "-Ln");
    assertThat(seen)
        .containsPattern("UDP +10.96.0.10:53 lc")
        .containsPattern("-> 10.244.1.7:8080 +Masq +1 ")
        .containsPattern("-> 10.244.2.7:8081 +Masq +0 ")
        .containsPattern("TCP +\\[fd00:10:96::a\\]:443 mh \\(mh-port\\)");
  }

  @Test
  void namesWhatFailedAndDoesTheRest() {
    RealServer real = new RealServer(address("10.244.1.7"), 8080);
    sandbox.inNamespace(
        () -> {
          try (IpvsNetlink ipvs = IpvsNetlink.open().orElseThrow()) {
            ipvs.add(new VirtualServerInfo(V4, "rr", 0, 0));
            ipvs.add(V4, real, 1);
            ipvs.add(V4, real, 1);
            ipvs.add(new VirtualServerInfo(V6, "nosuch", 0, 0));
            ipvs.delete(V6);
            ipvs.delete(V4, new RealServer(address("10.244.1.8"), 8080));
            assertThatThrownBy(ipvs::flush)
                .isInstanceOf(KernelException.class)
                .hasMessageContaining(
                    "add real server 10.244.1.7:8080 of virtual server UDP 10.96.0.10:53: EEXIST")
                .hasSuppressedException(
                    new KernelException(
                        "add virtual server", V6.toString(), Errno.ENOENT.number()));
            assertThat(ipvs.virtualServers()).hasSize(1);
            ipvs.delete(V4);
            ipvs.flush();
            assertThat(ipvs.virtualServers()).isEmpty();
          }
          return true;
        });
  }

  @Test
  void sendsThousandsInFewCalls() {
    sandbox.inNamespace(
        () -> {
          try (IpvsNetlink ipvs = IpvsNetlink.open().orElseThrow()) {
            List<VirtualServer> all = new ArrayList<>();
            for (int i = 0; i < 1500; i++) {
              VirtualServer server = new VirtualServer(v4(0x0a60_0000 + i), 80, 6);
              all.add(server);
              ipvs.add(new VirtualServerInfo(server, "rr", 0, 0));
              ipvs.add(server, new RealServer(v4(0x0af4_0000 + i), 8080), 1);
              ipvs.add(server, new RealServer(v4(0x0af5_0000 + i), 8080), 1);
            }
            ipvs.flush();
            assertThat(ipvs.virtualServers()).hasSize(all.size());
            assertThat(ipvs.realServers(all.getLast())).hasSize(2);
            all.forEach(ipvs::delete);
            all.forEach(ipvs::delete);
            ipvs.flush();
            assertThat(ipvs.virtualServers()).isEmpty();
          }
          return true;
        });
  }

  @Test
  void setsTimeoutsAndLeavesOthers() {
    sandbox.inNamespace(
        () -> {
          try (IpvsNetlink ipvs = IpvsNetlink.open().orElseThrow()) {
            IpvsTimeouts before = ipvs.timeouts();
            ipvs.setTimeouts(new IpvsTimeouts(1200, 0, 60));
            assertThat(ipvs.timeouts()).isEqualTo(new IpvsTimeouts(1200, before.tcpFin(), 60));
          }
          return true;
        });
  }

  @Test
  void keepsAddressesAndANoteOnADummyDevice() {
    Set<InetAddress> addresses = Set.of(address("10.96.0.10"), address("fd00:10:96::a"));
    sandbox.inNamespace(
        () -> {
          try (DummyDevice device = new DummyDevice("kube-ipvs0")) {
            assertThat(device.exists()).isFalse();
            assertThat(device.alias()).isEmpty();
            assertThat(device.addresses()).isEmpty();
            assertThat(device.create()).isTrue();
            assertThat(device.create()).isFalse();
            device.setAlias("a note");
            device.add(addresses);
            device.add(addresses);
            assertThat(device.alias()).isEqualTo("a note");
            assertThat(device.addresses()).isEqualTo(addresses);
            device.remove(Set.of(address("10.96.0.10"), address("10.96.0.11")));
            assertThat(device.addresses()).containsExactly(address("fd00:10:96::a"));
            device.delete();
            device.delete();
            assertThat(device.exists()).isFalse();
          }
          return true;
        });
  }

  /** Each is refused, because it is there: the refusals once overran the socket's buffer. */
  @Test
  void keepsThousandsOfAddressesThatItHasAlready() {
    sandbox.inNamespace(
        () -> {
          try (DummyDevice device = new DummyDevice("kube-ipvs0")) {
            Set<InetAddress> addresses = new HashSet<>();
            for (int i = 0; i < 3000; i++) {
              addresses.add(v4(0x0a60_0000 + i));
            }
            device.create();
            device.add(addresses);
            device.add(addresses);
            assertThat(device.addresses()).isEqualTo(addresses);
          }
          return true;
        });
  }

  @Test
  void refusesADeviceOfAnotherKind() {
    sandbox.ip("link", "add", "kube-ipvs0", "type", "veth", "peer", "name", "other");
    sandbox.inNamespace(
        () -> {
          try (DummyDevice device = new DummyDevice("kube-ipvs0")) {
            assertThatThrownBy(device::create)
                .isInstanceOf(KernelException.class)
                .hasMessageContaining("no dummy but veth");
          }
          return true;
        });
  }

  private static InetAddress v4(int bits) throws Exception {
    return InetAddress.getByAddress(
        new byte[] {(byte) (bits >>> 24), (byte) (bits >>> 16), (byte) (bits >>> 8), (byte) bits});
  }

  private static InetAddress address(String text) {
    return InetAddress.ofLiteral(text);
  }
}
