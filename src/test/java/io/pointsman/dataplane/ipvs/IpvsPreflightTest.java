// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.Features.KernelVersion;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.OnlyNft;
import io.pointsman.kernel.Sysctl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Nodes that IPVS cannot serve, each with its finding; what they have stays as it is. */
class IpvsPreflightTest {
  private static final String IMAGE = "Use the image that the project's Dockerfile builds.";
  private static final Finding NO_IPVS =
      block(
          "IpvsMissing",
          "The kernel 6.1.0-here of this node has no ip_vs.",
          "Boot a kernel with CONFIG_IP_VS, or choose another dataplane.");

  @TempDir Path modules;

  private final KernelSandbox sandbox = new KernelSandbox();
  private final Node node = new Node();

  @BeforeEach
  void listModules() throws IOException {
    Files.writeString(modules.resolve("modules.dep"), "kernel/drivers/net/dummy.ko.xz:\n");
  }

  @AfterEach
  void close() {
    sandbox.close();
  }

  @Test
  void aKernelWithoutIpvsIsNamed() throws IOException {
    assertFound(new CommandRunner(), NO_IPVS);
    Files.writeString(
        modules.resolve("modules.dep"), "kernel/dummy.ko:\nkernel/net/netfilter/ipvs/ip_vs.ko:\n");
    assertFound(
        new CommandRunner(),
        block("IpvsMissing", NO_IPVS.message(), "Load it on the node: modprobe ip_vs"));
  }

  @Test
  void theRightToChangeServersIsNeeded() {
    node.permitted = false;
    assertFound(
        new CommandRunner(),
        block(
            "CapabilityMissing",
            "The agent runs without CAP_NET_ADMIN.",
            "Add it to the agent's securityContext.capabilities."));
  }

  @Test
  void programsThatAreMissingAreNamed() {
    assertFound(
        new CommandRunner(List.of(), modules.toString()),
        block("IpsetMissing", "ipset is not installed.", IMAGE),
        noRules(),
        NO_IPVS);
  }

  @Test
  void aKernelWithoutSetsOrTablesIsNamed() {
    assertFound(
        new CommandRunner(List.of("false")),
        block(
            "IpsetMissing",
            "The kernel of this node has no IP sets, or the agent may not use them: ipset list -n"
                + " ended with 1: ",
            "Load them on the node: modprobe ip_set_hash_ipportip; or choose another dataplane."),
        noRules(),
        NO_IPVS);
  }

  @Test
  void aMixedNodeIsNamed() {
    for (String variant : List.of("nft", "legacy")) {
      List<String> unused =
          sandbox.inNamespace(
              () ->
                  new CommandRunner().lines("iptables-" + variant, "-A", "INPUT", "-j", "ACCEPT"));
    }
    assertFound(
        new CommandRunner(),
        new Finding(
            Severity.WARNING,
            "MixedIptables",
            "This node has rules both of iptables-nft and of iptables-legacy.",
            "Have every program on the node use the same iptables."),
        NO_IPVS);
  }

  /** Somebody's own table of nftables. */
  @Test
  void aTableThatCannotBeSeenIsNamed() {
    List<String> unused =
        sandbox.inNamespace(() -> new CommandRunner().lines("nft", OnlyNft.hides("ip6 nat")));
    assertFound(
        new CommandRunner(),
        block(
            "TableHidden",
            "ip6tables-nft-save leaves out the table nat, because it holds a rule that only nft can"
                + " show.",
            "Take that rule out: 'nft list table ip6 nat' shows it."),
        NO_IPVS);
  }

  @Test
  void aKernelWithoutDummyDevicesIsNamed() throws IOException {
    Files.writeString(modules.resolve("modules.dep"), "kernel/drivers/net/veth.ko:\n");
    assertFound(
        new CommandRunner(),
        block(
            "DummyMissing",
            "The kernel of this node has no dummy devices, which hold the Services' addresses.",
            "Install the module and load it: modprobe dummy"),
        NO_IPVS);
  }

  @Test
  void aDeviceOfTheNameIsInTheWay() {
    sandbox.ip("link", "add", "kube-ipvs0", "type", "veth", "peer", "name", "other");
    Preflight preflight = run(new CommandRunner());
    assertThat(preflight.passed()).isFalse();
    assertThat(preflight.findings().getFirst())
        .returns(Severity.BLOCKING, Finding::severity)
        .returns("DeviceTaken", Finding::reason)
        .returns("Rename or delete the device: ip link delete kube-ipvs0", Finding::remedy);
    assertThat(sandbox.ip("link", "show", "kube-ipvs0")).contains("kube-ipvs0@other");
  }

  @Test
  void settingsThatCannotBeSetAreNamed() {
    assertThat(new Settings(IpvsOptions.defaults()).readOnly(node))
        .contains(
            block(
                "SettingReadOnly",
                "The agent cannot set net.ipv4.vs.conntrack=1 net.ipv4.ip_forward=1.",
                "Set it on the node: sysctl -w net.ipv4.vs.conntrack=1 net.ipv4.ip_forward=1"));
    node.writable = true;
    assertThat(new Settings(IpvsOptions.defaults()).readOnly(node)).isEmpty();
  }

  private void assertFound(CommandRunner commands, Finding... expected) {
    List<String> before = state();
    Preflight preflight = run(commands);
    assertThat(preflight.findings()).containsExactly(expected);
    assertThat(preflight.passed()).isFalse();
    assertThat(state()).isEqualTo(before);
  }

  private Preflight run(CommandRunner commands) {
    return sandbox.inNamespace(
        () -> new IpvsPreflight(IpvsOptions.defaults().by(commands), "rr", node).run());
  }

  /** Rules, sets and devices, without times. */
  private List<String> state() {
    return sandbox.inNamespace(
        () ->
            new CommandRunner()
                .lines(
                    "sh",
                    "-ec",
                    "iptables-nft -S; iptables-legacy -S; ipset list -n; ip -br link; ip -br addr"));
  }

  private static Finding noRules() {
    return block(
        "IptablesMissing",
        "Neither iptables-nft-save nor iptables-legacy-save works on this node.",
        "Use the image that the project's Dockerfile builds, on a kernel with CONFIG_NF_TABLES or"
            + " CONFIG_IP_NF_IPTABLES.");
  }

  private static Finding block(String reason, String message, String remedy) {
    return new Finding(Severity.BLOCKING, reason, message, remedy);
  }

  /** A node without ip_vs, whose modules are those that a folder lists. */
  private final class Node implements IpvsFacts {
    private static final Map<String, String> OFF =
        Map.of("net.ipv4.vs.conntrack", "0", "net.ipv4.ip_forward", "0");

    private boolean permitted = true;
    private boolean writable;

    @Override
    public KernelVersion kernel() {
      return new KernelVersion(6, 1, "6.1.0-here");
    }

    @Override
    public Modules modules() {
      return new Modules(modules.resolve("loaded"), modules);
    }

    @Override
    public Optional<IpvsNetlink> ipvs() {
      if (!permitted) {
        throw new KernelException("read", "timeouts of ip_vs", Errno.EPERM.number());
      }
      return Optional.empty();
    }

    @Override
    public @Nullable String value(Sysctl setting) {
      return OFF.getOrDefault(setting.text(), "1");
    }

    @Override
    public boolean writable(Sysctl setting) {
      return writable;
    }
  }
}
