// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.kernel.BpfQuery;
import io.pointsman.kernel.Capabilities;
import io.pointsman.kernel.Features;
import io.pointsman.kernel.Features.KernelVersion;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.LockLimit;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Kernels, libraries and rights that this machine does not have, each with its finding. */
class BpfFindingsTest {
  private static final int SYS_ADMIN = 21;
  private static final int PERFMON = 38;
  private static final int BPF = 39;
  private static final String ADD = "Add it to the agent's securityContext.capabilities.";
  private static final String IMAGE = "Use the image that the project's Dockerfile builds.";
  private static final String BOOT =
      "Boot a kernel with CONFIG_BPF_SYSCALL, CONFIG_CGROUP_BPF and CONFIG_NET_CLS_BPF"
          + " that does not lock BPF down.";

  private static final int SYS_RESOURCE = 24;
  private static final long KIB_64 = 65_536;
  private static final String LOCKED =
      "The kernel 5.10.0 counts maps as locked memory: 251 MiB are needed, and the agent may lock"
          + " 64 KiB.";
  private static final String LIFT =
      "On the node, set LimitMEMLOCK=infinity in the unit of the container runtime and restart it;"
          + " or add SYS_RESOURCE to the agent's securityContext.capabilities; or boot 5.11 or"
          + " newer.";

  private static KernelSandbox sandbox;

  /** A node that lacks something, and what is to be found there. */
  record Row(String name, BpfFacts node, List<Finding> findings) {
    @Override
    public String toString() {
      return name;
    }
  }

  @BeforeAll
  static void open() {
    sandbox = new KernelSandbox();
  }

  @AfterAll
  static void close() {
    sandbox.close();
  }

  static Stream<Row> rows() {
    return Stream.of(
        new Row("all is there", new Node(), List.of()),
        new Row("kernel 5.4", new Node().booting(5, 4, "5.4.0-arm"), tooOld("5.4.0-arm")),
        new Row("kernel 4.19", new Node().booting(4, 19, "4.19.0"), tooOld("4.19.0")),
        new Row("kernel 5.11", new Node().booting(5, 11, "5.11.0"), List.of()),
        new Row(
            "no type information",
            new Node().withoutBtf(),
            List.of(
                new Finding(
                    Severity.INFO,
                    "NoBtf",
                    "The kernel carries no type information (/sys/kernel/btf/vmlinux).",
                    "Nothing to do; tools show less of the maps."))),
        new Row(
            "no libbpf",
            new Node().withoutLibrary(),
            List.of(block("LibbpfMissing", "libbpf.so.1 cannot be loaded", IMAGE))),
        new Row(
            "no rights at all",
            new Node().holding(it -> false),
            Stream.of("CAP_NET_ADMIN", "CAP_BPF", "CAP_PERFMON")
                .map(BpfFindingsTest::withoutRight)
                .toList()),
        new Row(
            "no CAP_PERFMON",
            new Node().holding(it -> it == Capabilities.NET_ADMIN || it == BPF),
            List.of(withoutRight("CAP_PERFMON"))),
        new Row(
            "CAP_SYS_ADMIN stands for two",
            new Node().holding(it -> it == Capabilities.NET_ADMIN || it == SYS_ADMIN),
            List.of()),
        new Row(
            "just what is needed",
            new Node().holding(it -> it == Capabilities.NET_ADMIN || it == BPF || it == PERFMON),
            List.of()),
        new Row(
            "no programs at sockets",
            new Node().lackingProgram(Features.PROGRAM_TYPE_SOCK_ADDR),
            List.of(lacking("programs at sockets"))),
        new Row(
            "no programs at devices",
            new Node().lackingProgram(Features.PROGRAM_TYPE_TC),
            List.of(lacking("programs at devices"))),
        new Row(
            "no LRU maps",
            new Node().lackingMap(Features.MAP_TYPE_LRU_HASH),
            List.of(lacking("LRU hash maps"))),
        new Row(
            "no helpers",
            new Node().withoutHelpers(),
            List.of(lacking("the boot clock"), lacking("network namespace cookies"))),
        new Row(
            "a firewall that drops what it forwards",
            new Node().dropping("ip6tables-legacy"),
            List.of(
                new Finding(
                    Severity.WARNING,
                    "ForwardingDropped",
                    "The policy of the chain FORWARD of ip6tables-legacy is DROP: what goes to pods"
                        + " is dropped unless a rule accepts it, and kube-proxy's go with it.",
                    "See that the CNI accepts what goes to pods and comes from them, or accept it:"
                        + " ip6tables-legacy -P FORWARD ACCEPT"))),
        new Row(
            "kernel 5.10, 64 KiB may be locked",
            new Node().holding(it -> it != SYS_RESOURCE).locking(KIB_64, KIB_64),
            List.of(block("LockLimitTooLow", LOCKED, LIFT))),
        new Row("the same with CAP_SYS_RESOURCE", new Node().locking(KIB_64, KIB_64), List.of()),
        new Row(
            "the same where the limit may be lifted",
            new Node().holding(it -> it != SYS_RESOURCE).locking(KIB_64, LockLimit.UNLIMITED),
            List.of()),
        new Row(
            "the same with enough",
            new Node().holding(it -> it != SYS_RESOURCE).locking(1 << 30, 1 << 30),
            List.of()),
        new Row(
            "kernel 5.11, 64 KiB may be locked",
            new Node()
                .booting(5, 11, "5.11.0")
                .holding(it -> it != SYS_RESOURCE)
                .locking(KIB_64, KIB_64),
            List.of()));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void isNamedWithItsRemedyAndChangesNothing(Row row) {
    Path root = sandbox.bpffs().resolve("pointsman");
    BpfOptions options = BpfOptions.defaults().pinnedUnder(root).on(sandbox.cgroup());
    Preflight preflight =
        sandbox.inNamespace(
            () -> new BpfPreflight(options, DataplaneSettings.DEFAULTS, row.node()).run());
    assertThat(preflight.findings())
        .filteredOn(finding -> !finding.reason().equals("Libbpf"))
        .containsExactlyElementsOf(row.findings());
    assertThat(preflight.passed())
        .isEqualTo(row.findings().stream().noneMatch(it -> it.severity() == Severity.BLOCKING));
    assertThat(root).doesNotExist();
    assertThat(BpfQuery.cgroup(sandbox.cgroup(), BpfDataplaneFixture.CONNECT4)).isEmpty();
  }

  private static List<Finding> tooOld(String version) {
    return List.of(
        block(
            "KernelTooOld",
            "The kernel is " + version + "; the BPF dataplane needs 5.10 or newer.",
            "Boot a newer kernel, or choose another dataplane."));
  }

  private static Finding withoutRight(String name) {
    return block("CapabilityMissing", "The agent runs without " + name + ".", ADD);
  }

  private static Finding lacking(String feature) {
    return block(
        "FeatureMissing",
        "The kernel's BPF lacks " + feature + ", or does not let the agent use it.",
        BOOT);
  }

  private static Finding block(String reason, String message, String remedy) {
    return new Finding(Severity.BLOCKING, reason, message, remedy);
  }

  /** A node that has everything but what it is told to lack. */
  private static final class Node implements BpfFacts {
    private KernelVersion kernel = new KernelVersion(5, 10, "5.10.0");
    private IntPredicate rights = number -> true;
    private LockLimit limit = new LockLimit(LockLimit.UNLIMITED, LockLimit.UNLIMITED);
    private String dropping = "";
    private boolean btf = true;
    private boolean library = true;
    private boolean helpers = true;
    private int missingProgram = -1;
    private int missingMap = -1;

    Node booting(int major, int minor, String text) {
      kernel = new KernelVersion(major, minor, text);
      return this;
    }

    Node holding(IntPredicate some) {
      rights = some;
      return this;
    }

    Node locking(long now, long most) {
      limit = new LockLimit(now, most);
      return this;
    }

    Node dropping(String tool) {
      dropping = tool;
      return this;
    }

    Node withoutBtf() {
      btf = false;
      return this;
    }

    Node withoutLibrary() {
      library = false;
      return this;
    }

    Node withoutHelpers() {
      helpers = false;
      return this;
    }

    Node lackingProgram(int type) {
      missingProgram = type;
      return this;
    }

    Node lackingMap(int type) {
      missingMap = type;
      return this;
    }

    @Override
    public KernelVersion kernel() {
      return kernel;
    }

    @Override
    public boolean may(int capability) {
      return rights.test(capability);
    }

    @Override
    public boolean btf() {
      return btf;
    }

    @Override
    public String libbpf() {
      if (!library) {
        throw new IllegalStateException("libbpf.so.1 cannot be loaded");
      }
      return "v1.4";
    }

    @Override
    public boolean dropsForwarded(Iptables tool) {
      return dropping.equals(tool.name());
    }

    @Override
    public LockLimit lockLimit() {
      return limit;
    }

    @Override
    public boolean programType(int type) {
      return type != missingProgram;
    }

    @Override
    public boolean mapType(int type) {
      return type != missingMap;
    }

    @Override
    public boolean helper(int programType, int helper) {
      return helpers;
    }
  }
}
