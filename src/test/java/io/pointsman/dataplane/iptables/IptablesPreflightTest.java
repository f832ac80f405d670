// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.dataplane.NodeFacts;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.kernel.Capabilities;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.Sysctl;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Nodes that lack something, each with its finding; their tables are as before. */
class IptablesPreflightTest extends IptablesFixture {
  private static final Finding NFT = variant("iptables-nft");
  private static final Finding NO_IPV6 =
      new Finding(
          Severity.INFO,
          "NoIpv6",
          "The kernel of this node has no IPv6.",
          "Nothing to do unless Services have IPv6 addresses.");
  private final Node node = new Node();

  @TempDir Path programs;

  @Test
  void aNodeThatHasAllIsTold() {
    assertFound(IptablesOptions.defaults(), NFT);
  }

  @Test
  void rightsThatAreMissingAreNamed() {
    node.lacking.add(Capabilities.NET_ADMIN);
    assertFound(IptablesOptions.defaults(), withoutRight("CAP_NET_ADMIN"));
    node.lacking.clear();
    node.lacking.add(Capabilities.NET_RAW);
    assertFound(IptablesOptions.defaults(), NFT);
    assertFound(
        IptablesOptions.defaults().in(Variant.LEGACY),
        withoutRight("CAP_NET_RAW"),
        variant("iptables-legacy"));
  }

  @Test
  void programsThatAreMissingAreNamed() {
    assertFound(
        installed(),
        new Finding(
            Severity.BLOCKING,
            "IptablesMissing",
            "iptables-save and iptables-restore are not installed.",
            "Use the image that the project's Dockerfile builds."));
  }

  /** Nobody has IPv6 where its programs are not to be used. */
  @Test
  void aNodeWithoutIpv6IsTold() throws IOException {
    installIpv4();
    assertFound(installed(), NFT, NO_IPV6);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
"""
statistic | BLOCKING | The kernel of this node lacks statistic, which rules need that iptables-nft writes.
sctp      | WARNING  | Services of SCTP cannot be written: the kernel of this node lacks sctp for iptables-nft.
""")
  void aKernelWithoutAnExtensionIsNamed(String extension, Severity severity, String message)
      throws IOException {
    installIpv4();
    assertFound(
        installed(
            "sh",
            "-c",
            "grep -- '-m %1$s' > /dev/null && echo 'Warning: Extension %1$s revision 0 not supported, missing kernel module?' >&2; true"
                .formatted(extension)),
        NFT,
        NO_IPV6,
        new Finding(
            severity,
            "ExtensionMissing",
            message,
            "Install the kernel's modules of netfilter and load them: modprobe -a ipt_"
                + extension
                + "; or choose another dataplane."));
  }

  private void installIpv4() throws IOException {
    for (String program : List.of("iptables-nft-save", "iptables-nft-restore")) {
      Files.createFile(programs.resolve(program));
      assertThat(programs.resolve(program).toFile().setExecutable(true)).isTrue();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
"""
net.bridge.bridge-nf-call-iptables | BridgesBypassIptables | Packets that cross a bridge do not pass iptables, so that a pod cannot reach a pod of the same node through a Service if a bridge connects them: 0 is net.bridge.bridge-nf-call-iptables.
net.ipv4.conf.all.route_localnet | LoopbackNotRouted | Node ports will not answer at 127.0.0.1: the agent may not write net.ipv4.conf.all.route_localnet.
""")
  void settingsThatAreOffAreNamed(String setting, String reason, String message) {
    node.values.put(setting, "0");
    assertFound(
        IptablesOptions.defaults(),
        NFT,
        new Finding(Severity.WARNING, reason, message, "On the node: sysctl -w " + setting + "=1"));
  }

  @Test
  void loopbackIsRoutedByTheAgentWhereItMay() {
    node.values.put(Sysctls.ROUTE_LOCALNET.text(), "0");
    node.writable = true;
    assertFound(IptablesOptions.defaults(), NFT);
  }

  @Test
  void aSettingThatTheKernelLacksIsNoFinding() {
    node.values.put(Sysctls.BRIDGE_CALLS.text(), null);
    assertFound(IptablesOptions.defaults(), NFT);
  }

  private void assertFound(IptablesOptions options, Finding... expected) {
    inside(
        () -> {
          addForeign(Variant.NFT);
          List<String> before = saved(Variant.NFT);
          Preflight preflight = new IptablesPreflight(options, node).run();
          assertThat(preflight.findings())
              .filteredOn(finding -> !finding.reason().equals("MixedIptables"))
              .containsExactly(expected);
          assertThat(preflight.passed())
              .isEqualTo(List.of(expected).stream().noneMatch(IptablesPreflightTest::blocks));
          assertThat(saved(Variant.NFT)).isEqualTo(before);
        });
  }

  private static boolean blocks(Finding finding) {
    return finding.severity() == Severity.BLOCKING;
  }

  /** With the programs of a folder, which say nothing. */
  private IptablesOptions installed() {
    return installed("sh", "-c", "cat > /dev/null");
  }

  /** The same with what runs in place of each. */
  private IptablesOptions installed(String... instead) {
    return new IptablesOptions(
        new CommandRunner(List.of(instead), programs.toString()), Optional.empty(), List.of());
  }

  private static Finding variant(String name) {
    return new Finding(
        Severity.INFO,
        "IptablesVariant",
        "Rules are written by " + name + ", where this node's are.",
        "Nothing to do.");
  }

  private static Finding withoutRight(String name) {
    return new Finding(
        Severity.BLOCKING,
        "CapabilityMissing",
        "The agent runs without " + name + ".",
        "Add it to the agent's securityContext.capabilities.");
  }

  /** A node whose settings are on, read-only, and all rights there. */
  private static final class Node implements NodeFacts {
    private final Set<Integer> lacking = new HashSet<>();
    private final Map<String, @Nullable String> values = new HashMap<>();
    private boolean writable;

    @Override
    public boolean may(int capability) {
      return !lacking.contains(capability);
    }

    @Override
    public @Nullable String value(Sysctl setting) {
      return values.getOrDefault(setting.text(), "1");
    }

    @Override
    public boolean writable(Sysctl setting) {
      return writable;
    }
  }
}
