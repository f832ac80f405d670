// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.bpf.Services.desired;
import static io.pointsman.dataplane.bpf.Services.ports;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.kernel.BpfLink;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfObject;
import io.pointsman.kernel.BpfProgram;
import io.pointsman.kernel.BpfSources;
import io.pointsman.kernel.TcDirection;
import io.pointsman.kernel.TcFilter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The programs follow devices and addresses. */
@Execution(ExecutionMode.CONCURRENT)
@ParameterizedClass(name = "tcx {0}")
@ValueSource(booleans = {true, false})
class DevicesTest extends BpfDataplaneFixture {
  private static final int LAST = 0xfff0;

  private final List<BpfLink> foreign = new ArrayList<>();

  DevicesTest(boolean tcx) {
    super(tcx);
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

  /** One that ends the chain, as with TC_ACT_OK, must not end it before the programs have run. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void runsBeforeTheProgramsOfOthers(int priority) {
    byte[] elf = BpfSources.compile("src/test/resources/bpf/empty.bpf.c");
    try (BpfObject object = BpfObject.open("empty", elf, BpfObject.Options.NONE)) {
      object.load();
      run(() -> attachForeign(object.program("empty"), priority));
      here(() -> dataplane.prepare(desired(List.of())));
      for (TcDirection direction : TcDirection.values()) {
        assertThat(here(() -> programs("uplink", direction)))
            .containsExactly(direction.name().toLowerCase(Locale.ROOT), "empty");
      }
      run(dataplane::remove);
      assertThat(here(() -> programs("uplink", TcDirection.EGRESS))).containsExactly("empty");
      foreign.forEach(BpfLink::close);
    }
  }

  @Test
  void leavesNoFilterWhereAnOlderAgentHadIt() {
    byte[] elf = BpfSources.compile("src/test/resources/bpf/empty.bpf.c");
    try (BpfObject object = BpfObject.open("empty", elf, BpfObject.Options.NONE)) {
      object.load();
      int uplink = index("uplink");
      run(() -> TcFilter.attach(object.program("empty"), uplink, TcDirection.EGRESS, 0x706d, LAST));
      here(() -> dataplane.prepare(desired(List.of())));
      assertThat(here(() -> programs("uplink", TcDirection.EGRESS)))
          .isEqualTo(tcx ? List.of("egress", "empty") : List.of("egress"));
      run(dataplane::remove);
      assertThat(here(() -> programs("uplink", TcDirection.EGRESS))).isEmpty();
    }
  }

  private void attachForeign(BpfProgram program, int priority) {
    for (TcDirection direction : TcDirection.values()) {
      if (tcx) {
        foreign.add(BpfLink.attachTcx(program, index("uplink"), direction));
      } else {
        TcFilter.attach(program, index("uplink"), direction, 1, priority);
      }
    }
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

  private static DeviceAddresses.Primary node(DeviceAddresses addresses) {
    return Objects.requireNonNull(addresses.read().get(0), "the node's own entry");
  }

  private void awaitPrograms(String device, List<String> expected) {
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () ->
                assertThat(here(() -> programs(device, TcDirection.INGRESS))).isEqualTo(expected));
  }
}
