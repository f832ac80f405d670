// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.bpf.Services.backends;
import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.port;
import static io.pointsman.dataplane.bpf.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.AttachedProgram;
import io.pointsman.kernel.BpfLink;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfQuery;
import io.pointsman.kernel.Clock;
import io.pointsman.kernel.Commands;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import io.pointsman.kernel.TcDirection;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole dataplane in a cgroup, a bpffs and a network namespace of its own. */
@ParameterizedClass(name = "tcx {0}")
@ValueSource(booleans = {true, false})
class BpfDataplaneTest {
  private static final int CONNECT4 = 10;
  private static final MapSizes SIZES = new MapSizes(5000, 50_000, 4096, 4096);

  private final KernelSandbox sandbox = new KernelSandbox();
  private final Path root = sandbox.bpffs().resolve("pointsman");
  private final Path pins = root.resolve("v1");
  private final boolean tcx;
  private final BpfOptions options;
  private BpfDataplane dataplane;

  BpfDataplaneTest(boolean tcx) {
    this.tcx = tcx;
    this.options =
        BpfOptions.defaults().pinnedUnder(root).on(sandbox.cgroup()).sized(SIZES).withTcx(tcx);
    this.dataplane = new BpfDataplane(options, DataplaneSettings.DEFAULTS);
  }

  @BeforeEach
  void network() {
    sandbox.ip("link", "add", "bridge0", "type", "bridge");
    sandbox.ip("link", "add", "uplink", "type", "veth", "peer", "name", "port");
    sandbox.ip("link", "set", "port", "master", "bridge0");
    sandbox.ip("addr", "add", "198.51.100.7/24", "dev", "uplink");
    sandbox.ip("addr", "add", "2001:db8::7/64", "dev", "uplink", "nodad");
    for (String device : List.of("bridge0", "uplink", "port")) {
      sandbox.ip("link", "set", device, "up");
    }
  }

  @AfterEach
  void close() {
    try {
      dataplane.close();
    } finally {
      sandbox.close();
    }
  }

  @Test
  void walksThroughItsPhases() {
    DesiredState desired = desired(ports(50, 4));
    assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
    assertThat(dataplane.drain().drained()).isTrue();
    here(() -> dataplane.prepare(desired));
    assertThat(dataplane.phase()).isEqualTo(Phase.PREPARED);
    assertProven(desired);
    dataplane.activate();
    assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
    assertThat(dataplane.counters()).containsOnlyKeys(Counter.values()).containsValue(0L);
    assertThat(dataplane.drain().flows()).isZero();
    assertThat(dataplane.phase()).isEqualTo(Phase.DRAINING);
    here(
        () -> {
          dataplane.remove();
          return true;
        });
    assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
    assertNothingLeft();
    here(
        () -> {
          dataplane.remove();
          return true;
        });
  }

  @Test
  void isAdoptedByTheNextAgentWithoutAWrite() {
    DesiredState desired = desired(ports(50, 4));
    here(() -> dataplane.prepare(desired));
    dataplane.activate();
    dataplane.close();
    assertThat(here(() -> attached(CONNECT4))).isOne();
    dataplane = new BpfDataplane(options, DataplaneSettings.DEFAULTS);
    assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
    assertThat(here(() -> dataplane.prepare(desired))).isEqualTo(SyncResult.NONE);
    assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
    assertProven(desired);
    assertThat(here(() -> attached(CONNECT4))).isOne();
    // Its programs are this agent's now, on every device.
    assertThat(here(() -> programs("uplink", TcDirection.INGRESS))).containsExactly("ingress");
    assertThat(here(() -> programs("uplink", TcDirection.EGRESS))).containsExactly("egress");
  }

  @Test
  void followsChanges() {
    List<ServicePort> ports = new ArrayList<>(ports(50, 4));
    here(() -> dataplane.prepare(desired(ports)));
    ServicePort after = port(7, backends(4000, 9));
    ServicePort added = port(99, backends(5000, 2));
    SyncResult result =
        here(
            () ->
                dataplane.apply(
                    new Delta(
                        List.of(new Change(ports.get(7), after), new Change(null, added)),
                        List.of(ports.get(8)))));
    assertThat(result.written()).isEqualTo(9 + 1 + 2 + 1);
    assertThat(result.deleted()).isEqualTo(4 + 1 + 4);
    ports.set(7, after);
    ports.add(added);
    ports.remove(8);
    assertProven(desired(ports));
  }

  @Test
  void saysWhatToDoFirst() {
    assertThatThrownBy(() -> dataplane.apply(new Delta(List.of(), List.of())))
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("prepare it first");
    assertThatThrownBy(
            () -> new BpfDataplane(options, new DataplaneSettings(Scheduler.MH, 30_000, 32_767)))
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("scheduler mh")
        .hasMessageContaining("random or rr");
    BpfDataplane elsewhere =
        new BpfDataplane(options.pinnedUnder(Path.of("/tmp/nowhere")), DataplaneSettings.DEFAULTS);
    assertThatThrownBy(() -> here(() -> elsewhere.prepare(desired(List.of()))))
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("/tmp/nowhere");
    Commands.run("rm", "-rf", "/tmp/nowhere");
  }

  @Test
  void findsAndMendsWhatIsNotInTheMapsOfServices() {
    DesiredState desired = desired(ports(20, 3));
    here(() -> dataplane.prepare(desired));
    dataplane.activate();

    unpin(pins.resolve("nat_be"));
    mended(desired, "nat_be is not pinned");
    unpin(pins.resolve("links/connect4"));
    mended(desired, "connect4");
    try (BpfLink link = BpfLink.openPinned(pins.resolve("links/sendmsg6"))) {
      link.detach();
    }
    mended(desired, "sendmsg6 is not attached");
    detachFromDevice();
    mended(desired, tcx ? "ingress on device uplink is not pinned" : "not attached to device");
    try (BpfMap map = BpfMap.openPinned(pins.resolve("node_addr"));
        Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(Layout.ADDR_SIZE, 4);
      Layout.putAddress(key, 0, Address.parse("127.0.0.1"));
      assertThat(map.delete(key)).isTrue();
    }
    mended(desired, "node_addr");
    try (BpfMap map = BpfMap.openPinned(pins.resolve("device"));
        Arena arena = Arena.ofConfined()) {
      assertThat(map.delete(arena.allocate(4, 4))).isTrue();
    }
    mended(desired, "map device");
    try (BpfMap map = BpfMap.openPinned(pins.resolve("config"))) {
      new Config(Phase.ACTIVE, new MasqueradeRange(1, 2), 0).write(map);
    }
    mended(desired, "config");
    assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
  }

  @Test
  void attachesToDevicesAsTheyCome() {
    DesiredState desired = desired(ports(5, 2));
    here(() -> dataplane.prepare(desired));
    assertThat(here(() -> programs("lo", TcDirection.INGRESS))).isEmpty();
    assertThat(here(() -> programs("port", TcDirection.INGRESS))).isEmpty();
    assertThat(here(() -> programs("bridge0", TcDirection.INGRESS))).containsExactly("ingress");
    sandbox.ip("link", "add", "late", "type", "veth", "peer", "name", "later");
    awaitPrograms("late", List.of("ingress"));
    awaitPrograms("later", List.of("ingress"));
    sandbox.ip("link", "set", "late", "master", "bridge0");
    awaitPrograms("late", List.of());
    sandbox.ip("link", "set", "late", "nomaster");
    awaitPrograms("late", List.of("ingress"));
    sandbox.ip("link", "del", "late");
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(new Pins(root).linkNames()).hasSize(8 + (tcx ? 2 * 2 : 0)));
    assertProven(desired);
  }

  @Test
  void knowsTheAddressesThatPacketsLeaveWith() {
    here(() -> dataplane.prepare(desired(List.of())));
    sandbox.ip("addr", "add", "203.0.113.5/24", "dev", "bridge0");
    DeviceAddresses.Primary uplink =
        new DeviceAddresses.Primary(Address.parse("198.51.100.7"), Address.parse("2001:db8::7"));
    try (BpfMap map = BpfMap.openPinned(pins.resolve("device"))) {
      DeviceAddresses addresses = new DeviceAddresses(map);
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () ->
                  assertThat(addresses.read())
                      .containsEntry(index("uplink"), uplink)
                      .containsEntry(
                          index("bridge0"),
                          new DeviceAddresses.Primary(
                              Address.parse("203.0.113.5"), new Address(0, 0)))
                      .containsKey(0));
      // The way out decides what the node's own address is.
      assertThat(node(addresses).v6()).isEqualTo(uplink.v6());
      sandbox.ip("route", "add", "default", "via", "203.0.113.1");
      sandbox.ip("link", "set", "uplink", "down");
      await()
          .atMost(Duration.ofSeconds(20))
          .untilAsserted(
              () -> assertThat(node(addresses).v4()).isEqualTo(Address.parse("203.0.113.5")));
    }
  }

  @Test
  void countsTheFlowsThatAreLeft() {
    here(() -> dataplane.prepare(desired(List.of())));
    long now = Clock.bootNanos();
    long minute = 60_000_000_000L;
    flow(1, 6, Layout.CT_FORWARD, now); // counts
    flow(2, 6, Layout.CT_FORWARD, now - 60 * minute); // counts: TCP may be silent for hours
    flow(3, 6, Layout.CT_FORWARD | Layout.CT_CLOSING, now);
    flow(4, 6, 0, now);
    flow(5, 17, Layout.CT_FORWARD, now - minute); // counts
    flow(6, 17, Layout.CT_FORWARD, now - 4 * minute);
    flow(7, 6, Layout.CT_FORWARD, now - 300 * minute);
    assertThat(dataplane.drain().flows()).isEqualTo(3);
  }

  @Test
  void keepsTheSizeOfMapsThatAreInUse() {
    DesiredState desired = desired(ports(20, 3));
    here(() -> dataplane.prepare(desired));
    dataplane.close();
    dataplane =
        new BpfDataplane(
            options.sized(new MapSizes(77, 770, 7700, 7700)), DataplaneSettings.DEFAULTS);
    assertThat(here(() -> dataplane.prepare(desired))).isEqualTo(SyncResult.NONE);
    try (BpfMap map = BpfMap.openPinned(pins.resolve("nat_fe"))) {
      assertThat(map.maxEntries()).isEqualTo(5000);
    }
  }

  @Test
  void looksBeforeItLeaps() {
    assertThat(reasons()).doesNotContainKeys("BpffsMissing", "CgroupV2Missing", "OtherLayout");
    assertThat(here(() -> dataplane.preflight()).passed()).isTrue();
    here(() -> dataplane.prepare(desired(List.of())));
    assertThat(here(() -> dataplane.preflight()).passed()).isTrue();
    assertThat(reasons()).doesNotContainKey("ForeignDevicePrograms");
    dataplane.close();
    // The same programs, but not this agent's.
    BpfDataplane other =
        new BpfDataplane(
            options.pinnedUnder(sandbox.bpffs().resolve("elsewhere")), DataplaneSettings.DEFAULTS);
    assertThat(here(() -> other.preflight()).passed()).isFalse();
    Map<String, String> found = reasons(other);
    assertThat(found.get("ForeignSocketProgram"))
        .contains("getpeername6 (program ", sandbox.cgroup().toString());
    if (tcx) {
      assertThat(found.get("ForeignDevicePrograms")).contains("on uplink");
    }
    Commands.run("mkdir", "-p", root.resolve("v0").toString());
    assertThat(reasons().get("OtherLayout")).contains("v0", "v1");
    BpfOptions wrong = options.pinnedUnder(Path.of("/tmp/x")).on(Path.of("/tmp"));
    assertThat(reasons(new BpfDataplane(wrong, DataplaneSettings.DEFAULTS)))
        .containsKeys("BpffsMissing", "CgroupV2Missing");
    DataplaneSettings everyPort = new DataplaneSettings(Scheduler.RR, 1, 65_535);
    assertThat(reasons(new BpfDataplane(options, everyPort))).containsKey("NoMasqueradePorts");
  }

  private static DeviceAddresses.Primary node(DeviceAddresses addresses) {
    return Objects.requireNonNull(addresses.read().get(0), "the node's own entry");
  }

  private Map<String, String> reasons() {
    return reasons(dataplane);
  }

  private Map<String, String> reasons(BpfDataplane of) {
    Map<String, String> reasons = new java.util.HashMap<>();
    here(of::preflight)
        .findings()
        .forEach(finding -> reasons.put(finding.reason(), finding.message()));
    return reasons;
  }

  private void mended(DesiredState desired, String defect) {
    KernelState before = here(() -> dataplane.read());
    assertThat(before.defects()).anyMatch(found -> found.contains(defect));
    here(() -> dataplane.repair(desired));
    assertProven(desired);
  }

  private void assertProven(DesiredState desired) {
    KernelState state = here(() -> dataplane.read());
    assertThat(state.defects()).isEmpty();
    assertThat(state.digest()).isEqualTo(desired.digest());
  }

  private void assertNothingLeft() {
    assertThat(root).doesNotExist();
    here(
        () -> {
          for (int type : List.of(10, 11, 14, 15, 19, 20, 29, 30)) {
            assertThat(attached(type)).isZero();
          }
          assertThat(programs("uplink", TcDirection.INGRESS)).isEmpty();
          assertThat(programs("uplink", TcDirection.EGRESS)).isEmpty();
          return true;
        });
    assertThat(Commands.run("tc", "-n", sandbox.namespace(), "qdisc", "show"))
        .doesNotContain("clsact");
  }

  private void detachFromDevice() {
    if (tcx) {
      int index = here(() -> index("uplink"));
      unpin(pins.resolve("links/ingress-" + index));
    } else {
      Commands.run("tc", "-n", sandbox.namespace(), "filter", "del", "dev", "uplink", "ingress");
    }
  }

  private void flow(int number, int protocol, int flags, long lastSeen) {
    try (BpfMap map = BpfMap.openPinned(pins.resolve("ct"));
        Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(Layout.CT_KEY_SIZE, 8);
      MemorySegment value = arena.allocate(Layout.CT_SIZE, 8);
      Layout.putInt(key, 0, number);
      Layout.putByte(key, Layout.CT_KEY_PROTO, protocol);
      Layout.putShort(value, Layout.CT_FLAGS, flags);
      Layout.putLong(value, Layout.CT_LAST_SEEN, lastSeen);
      map.update(key, value);
    }
  }

  private void awaitPrograms(String device, List<String> expected) {
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () ->
                assertThat(here(() -> programs(device, TcDirection.INGRESS))).isEqualTo(expected));
  }

  private int attached(int type) {
    return BpfQuery.cgroup(sandbox.cgroup(), type).size();
  }

  private List<String> programs(String device, TcDirection direction) {
    int index = index(device);
    List<AttachedProgram> found = new ArrayList<>(BpfQuery.tcx(index, direction));
    try (RtNetlink netlink = new RtNetlink()) {
      netlink
          .filters(index, direction)
          .forEach(filter -> found.add(BpfQuery.describe(filter.program().id())));
    }
    return found.stream().map(AttachedProgram::name).toList();
  }

  private int index(String device) {
    return here(
            () -> {
              try (RtNetlink netlink = new RtNetlink()) {
                return netlink.devices();
              }
            })
        .stream()
        .filter(found -> found.name().equals(device))
        .map(NetworkDevice::index)
        .findFirst()
        .orElseThrow();
  }

  private <T> T here(Callable<T> task) {
    return sandbox.inNamespace(task);
  }

  private static void unpin(Path pin) {
    try {
      Files.delete(pin);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
