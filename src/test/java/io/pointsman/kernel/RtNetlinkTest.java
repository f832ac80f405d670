// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RtNetlinkTest {
  private final KernelSandbox sandbox = new KernelSandbox();

  @AfterEach
  void close() {
    sandbox.close();
  }

  @Test
  void readsDevicesWithTheirKindsAndMasters() {
    sandbox.ip("link", "add", "bridge0", "type", "bridge");
    sandbox.ip("link", "add", "left", "type", "veth", "peer", "name", "right");
    sandbox.ip("link", "set", "left", "master", "bridge0", "up");
    List<NetworkDevice> devices = sandbox.inNamespace(RtNetlinkTest::devices);
    assertThat(named(devices, "lo").loopback()).isTrue();
    assertThat(named(devices, "bridge0").kind()).isEqualTo("bridge");
    assertThat(named(devices, "left"))
        .returns("veth", NetworkDevice::kind)
        .returns(true, NetworkDevice::bridgePort)
        .returns(true, NetworkDevice::up)
        .returns(named(devices, "bridge0").index(), NetworkDevice::masterIndex);
    assertThat(named(devices, "right"))
        .returns(false, NetworkDevice::bridgePort)
        .returns(false, NetworkDevice::up)
        .returns(0, NetworkDevice::masterIndex);
  }

  @Test
  void readsHundredsOfDevices() {
    StringBuilder batch = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      batch.append("link add v%d type veth peer name w%d%n".formatted(i, i));
    }
    sandbox.ipBatch(batch.toString());
    assertThat(sandbox.inNamespace(RtNetlinkTest::devices)).hasSize(601);
  }

  @Test
  void readsAddressesAndKnowsThePrimaryOnes() {
    sandbox.ip("link", "add", "left", "type", "veth", "peer", "name", "right");
    sandbox.ip("link", "set", "left", "up");
    sandbox.ip("link", "set", "right", "up");
    sandbox.ip("addr", "add", "192.0.2.1/24", "dev", "left");
    sandbox.ip("addr", "add", "192.0.2.2/24", "dev", "left");
    sandbox.ip("addr", "add", "192.0.2.9", "peer", "198.51.100.9", "dev", "right");
    sandbox.ip("addr", "add", "2001:db8::1/64", "dev", "left", "nodad");
    List<DeviceAddress> addresses =
        sandbox.inNamespace(
            () -> {
              try (RtNetlink netlink = new RtNetlink()) {
                return netlink.addresses();
              }
            });
    Set<String> primary =
        addresses.stream()
            .filter(DeviceAddress::primary)
            .map(address -> address.address().getHostAddress())
            .collect(Collectors.toSet());
    assertThat(primary)
        .contains("192.0.2.1", "192.0.2.9", "2001:db8:0:0:0:0:0:1")
        .doesNotContain("192.0.2.2", "198.51.100.9", "127.0.0.1");
    assertThat(addresses).anyMatch(address -> address.scope() == 254);
  }

  @Test
  void readsBroadcastAddresses() {
    sandbox.ip("link", "add", "left", "type", "veth", "peer", "name", "right");
    sandbox.ip("addr", "add", "192.0.2.1/24", "dev", "left");
    sandbox.ip("addr", "add", "198.51.100.1/30", "broadcast", "198.51.100.9", "dev", "left");
    sandbox.ip("addr", "add", "203.0.113.1/24", "dev", "right");
    sandbox.ip("addr", "add", "10.96.0.1/32", "dev", "left");
    sandbox.ip("link", "set", "left", "up");
    Set<String> found =
        sandbox
            .inNamespace(
                () -> {
                  try (RtNetlink netlink = new RtNetlink()) {
                    return netlink.broadcasts();
                  }
                })
            .stream()
            .map(InetAddress::getHostAddress)
            .collect(Collectors.toSet());
    assertThat(found)
        .contains("192.0.2.255", "198.51.100.3", "198.51.100.9")
        .doesNotContain("192.0.2.1", "10.96.0.1", "203.0.113.255"); // a device that is down
  }

  @Test
  void tellsOfEveryChange() {
    Set<String> seen = new ConcurrentSkipListSet<>();
    DeviceMonitor monitor =
        sandbox.inNamespace(
            () ->
                new DeviceMonitor(
                    () -> {
                      seen.clear();
                      devices().forEach(device -> seen.add(device.name()));
                    }));
    try {
      await().atMost(Duration.ofSeconds(20)).until(() -> seen.contains("lo"));
      sandbox.ip("link", "add", "left", "type", "veth", "peer", "name", "right");
      await().atMost(Duration.ofSeconds(20)).until(() -> seen.containsAll(Set.of("left", "right")));
      sandbox.ip("link", "del", "left");
      await().atMost(Duration.ofSeconds(20)).until(() -> seen.equals(Set.of("lo")));
    } finally {
      monitor.close();
    }
    seen.clear();
    sandbox.ip("link", "add", "left", "type", "veth", "peer", "name", "right");
    assertThat(seen).isEmpty();
  }

  @Test
  void readsAgainAfterAnOverrun() {
    Set<String> seen = new ConcurrentSkipListSet<>();
    Object gate = new Object();
    DeviceMonitor monitor;
    synchronized (gate) {
      monitor =
          sandbox.inNamespace(
              () ->
                  new DeviceMonitor(
                      () -> {
                        synchronized (gate) {
                          devices().forEach(device -> seen.add(device.name()));
                        }
                      }));
      // The listener waits for the gate while far more messages come than the socket can hold.
      sandbox.ip("link", "add", "left", "type", "veth", "peer", "name", "right");
      StringBuilder batch = new StringBuilder();
      for (int i = 0; i < 4000; i++) {
        batch.append("link set left ").append(i % 2 == 0 ? "up" : "down").append('\n');
      }
      sandbox.ipBatch(batch.toString());
      sandbox.ip("link", "add", "last", "type", "veth", "peer", "name", "z");
    }
    try {
      await().atMost(Duration.ofSeconds(20)).until(() -> seen.contains("last"));
      assertThat(monitor.overruns()).isPositive();
    } finally {
      monitor.close();
    }
  }

  private static NetworkDevice named(List<NetworkDevice> devices, String name) {
    return devices.stream().filter(device -> device.name().equals(name)).findFirst().orElseThrow();
  }

  private static List<NetworkDevice> devices() {
    try (RtNetlink netlink = new RtNetlink()) {
      return netlink.devices();
    }
  }
}
