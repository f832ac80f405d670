// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.bpf.Services.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.kernel.AttachedProgram;
import io.pointsman.kernel.BpfQuery;
import io.pointsman.kernel.Features;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import io.pointsman.kernel.TcDirection;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A dataplane in a cgroup, a bpffs and a network namespace of its own. */
abstract class BpfDataplaneFixture {
  static final int CONNECT4 = 10;
  private static final MapSizes SIZES = new MapSizes(5000, 50_000, 4096, 4096);
  final KernelSandbox sandbox = new KernelSandbox();
  final Path root = sandbox.bpffs().resolve("pointsman");
  final Path pins = root.resolve("v1");
  final boolean tcx;
  final BpfOptions options;
  BpfDataplane dataplane;

  BpfDataplaneFixture(boolean tcx) {
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

  void assertProven(DesiredState desired) {
    KernelState state = here(() -> dataplane.read());
    assertThat(state.defects()).isEmpty();
    assertThat(state.digest()).isEqualTo(desired.digest());
  }

  int attached(int type) {
    return BpfQuery.cgroup(sandbox.cgroup(), type).size();
  }

  List<String> programs(String device, TcDirection direction) {
    int index = index(device);
    List<AttachedProgram> found = new ArrayList<>();
    if (Features.tcx()) {
      found.addAll(BpfQuery.tcx(index, direction));
    }
    try (RtNetlink netlink = new RtNetlink()) {
      netlink
          .filters(index, direction)
          .forEach(filter -> found.add(BpfQuery.describe(filter.program().id())));
    }
    return found.stream().map(AttachedProgram::name).toList();
  }

  int index(String device) {
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

  <T> T here(Callable<T> task) {
    return sandbox.inNamespace(task);
  }

  void run(Runnable task) {
    here(Executors.callable(task));
  }
}
