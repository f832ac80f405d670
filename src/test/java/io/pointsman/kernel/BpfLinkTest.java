// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class BpfLinkTest {
  private static final int HANDLE = 0x706d;

  private final KernelSandbox sandbox = new KernelSandbox();
  private final BpfObject object =
      BpfObject.open(
          "probe",
          BpfSources.compile("src/test/resources/bpf/probe.bpf.c"),
          BpfObject.Options.NONE.without(Set.of("refused")));

  @BeforeEach
  void load() {
    object.load();
  }

  @AfterEach
  void close() {
    object.close();
    sandbox.close();
  }

  @Test
  void keepsAProgramOnACgroupByAPinAndReplacesIt() {
    BpfProgram program = object.program("connect");
    int connect4 = program.attachType();
    Path pin = sandbox.bpffs().resolve("connect4");
    assertThat(BpfQuery.cgroup(sandbox.cgroup(), connect4)).isEmpty();
    try (BpfLink link = BpfLink.attachCgroup(program, sandbox.cgroup())) {
      link.pin(pin);
    }
    assertThat(BpfQuery.cgroup(sandbox.cgroup(), connect4))
        .containsExactly(new AttachedProgram(program.id(), "connect"));
    BpfProgram other = object.program("connect_refuses");
    try (BpfLink link = BpfLink.openPinned(pin)) {
      assertThat(link.info().programId()).isEqualTo(program.id());
      assertThat(link.info().attachType()).isEqualTo(connect4);
      link.update(other);
      assertThat(link.info().programId()).isEqualTo(other.id());
      assertThat(BpfQuery.cgroup(sandbox.cgroup(), connect4))
          .extracting(AttachedProgram::id)
          .containsExactly(other.id());
      link.detach();
      assertThat(link.info().target()).isZero();
    }
    assertThat(BpfQuery.cgroup(sandbox.cgroup(), connect4)).isEmpty();
  }

  @Test
  void detachesWhenALinkWithoutPinIsClosed() {
    BpfProgram program = object.program("connect");
    BpfLink.attachCgroup(program, sandbox.cgroup()).close();
    assertThat(BpfQuery.cgroup(sandbox.cgroup(), program.attachType())).isEmpty();
  }

  @Test
  void attachesToDevicesByTcx() {
    sandbox.ip("link", "add", "left", "type", "veth", "peer", "name", "right");
    sandbox.inNamespace(
        () -> {
          int index = index("left");
          BpfProgram first = object.program("classify");
          BpfProgram second = object.program("classify_other");
          try (BpfLink one = BpfLink.attachTcx(first, index, TcDirection.INGRESS);
              BpfLink two = BpfLink.attachTcx(second, index, TcDirection.INGRESS);
              BpfLink three = BpfLink.attachTcx(first, index, TcDirection.EGRESS);
              BpfLink four = BpfLink.attachTcx(second, index, TcDirection.EGRESS)) {
            assertThat(BpfQuery.tcx(index, TcDirection.INGRESS))
                .extracting(AttachedProgram::name)
                .containsExactly("classify_other", "classify");
            assertThat(BpfQuery.tcx(index, TcDirection.EGRESS))
                .extracting(AttachedProgram::name)
                .containsExactly("classify_other", "classify");
            assertThat(three.info().target()).isEqualTo(index);
            assertThat(two.info().attachType()).isEqualTo(TcDirection.INGRESS.tcxAttachType());
            sandbox.ip("link", "del", "left");
            assertThat(one.info().target()).isZero();
            assertThat(four.info().target()).isZero();
          }
          return true;
        });
  }

  @Test
  void attachesToDevicesByClsact() {
    sandbox.ip("link", "add", "left", "type", "veth", "peer", "name", "right");
    sandbox.inNamespace(
        () -> {
          int index = index("left");
          BpfProgram program = object.program("classify");
          BpfProgram other = object.program("classify_other");
          try (RtNetlink netlink = new RtNetlink()) {
            assertThat(netlink.filters(index, TcDirection.INGRESS)).isEmpty();
            TcFilter.attach(program, index, TcDirection.INGRESS, HANDLE, 1);
            TcFilter.attach(other, index, TcDirection.INGRESS, HANDLE, 1);
            List<TcFilterInfo> filters = netlink.filters(index, TcDirection.INGRESS);
            assertThat(filters).hasSize(1);
            assertThat(filters.getFirst().program().id()).isEqualTo(other.id());
            assertThat(filters.getFirst().handle()).isEqualTo(HANDLE);
            assertThat(filters.getFirst().priority()).isEqualTo(1);
            assertThat(netlink.filters(index, TcDirection.EGRESS)).isEmpty();
            TcFilter.detach(index, TcDirection.INGRESS, HANDLE, 1);
            TcFilter.detach(index, TcDirection.INGRESS, HANDLE, 1);
            assertThat(netlink.filters(index, TcDirection.INGRESS)).isEmpty();
            TcFilter.destroy(index);
            TcFilter.destroy(index);
          }
          return true;
        });
    assertThat(Commands.run("tc", "-n", sandbox.namespace(), "qdisc", "show", "dev", "left"))
        .doesNotContain("clsact");
  }

  @Test
  void namesTheDeviceThatIsNotThere() {
    sandbox.inNamespace(
        () -> {
          BpfProgram program = object.program("classify");
          assertThatThrownBy(() -> BpfLink.attachTcx(program, 4711, TcDirection.INGRESS))
              .isInstanceOfSatisfying(
                  BpfException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV))
              .hasMessageContaining("index 4711");
          return true;
        });
  }

  private static int index(String name) {
    try (RtNetlink netlink = new RtNetlink()) {
      return netlink.devices().stream()
          .filter(device -> device.name().equals(name))
          .findFirst()
          .orElseThrow()
          .index();
    }
  }
}
