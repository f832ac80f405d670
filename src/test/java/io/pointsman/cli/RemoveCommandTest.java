// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Digest;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.dataplane.bpf.BpfOptions;
import io.pointsman.dataplane.bpf.MapSizes;
import io.pointsman.dataplane.iptables.IptablesDataplane;
import io.pointsman.dataplane.iptables.IptablesOptions;
import io.pointsman.kernel.BpfQuery;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.OnlyNft;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What nobody looks after any more leaves the kernel when a person says so, and not before. */
class RemoveCommandTest {
  private static final DesiredState NOTHING = new DesiredState(List.of(), Set.of(), Digest.EMPTY);
  private static final Predicate<String> OURS =
      line -> line.matches(".*(POINTSMAN-|STANDIN-|KUBE-SERVICES).*");
  private static final int CONNECT4 = 10; // BPF_CGROUP_INET4_CONNECT
  private final KernelSandbox sandbox = new KernelSandbox();
  private final Path pins = sandbox.bpffs().resolve("pointsman");
  private final BpfDataplane left =
      new BpfDataplane(
          BpfOptions.defaults()
              .pinnedUnder(pins)
              .on(sandbox.cgroup())
              .sized(new MapSizes(100, 100, 100, 100)),
          DataplaneSettings.DEFAULTS);
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @AfterEach
  void clean() {
    left.close();
    sandbox.close();
  }

  @Test
  void removesWhatAnAgentLeft() {
    abandon();
    assertThat(run("--bpffs=" + sandbox.bpffs())).isEqualTo(Failures.FAILED);
    assertThat(err.toString()).contains("nothing was removed", "--force").hasLineCount(1);
    assertThat(left.phase()).isEqualTo(Phase.ACTIVE);
    assertThat(attached()).isOne();

    assertThat(run("--force", "--bpffs=" + sandbox.bpffs())).isZero();
    assertThat(out.toString()).contains("Nothing of Pointsman is left");
    assertThat(pins).doesNotExist();
    assertThat(attached()).isZero();

    assertThat(run("--bpffs=" + sandbox.bpffs())).isZero();
    assertThat(out.toString()).contains("Nothing of Pointsman was in use");
  }

  @Test
  void namesARangeThatIsNone() {
    abandon();
    assertThat(run("--force", "--exclude-cidr=10.0.0.0/33", "--bpffs=" + sandbox.bpffs()))
        .isEqualTo(Failures.WRONG_INPUT);
    assertThat(err.toString())
        .contains("--exclude-cidr: not a range of addresses: 10.0.0.0/33")
        .hasLineCount(1);
    assertThat(left.phase()).isEqualTo(Phase.ACTIVE);
  }

  /** Iptables, and what serves while kube-proxy starts, in what an iptables of the node sees. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void removesRules(Variant variant) {
    IptablesOptions options = IptablesOptions.defaults().in(variant);
    List<IptablesDataplane> rules =
        List.of(
            new IptablesDataplane(options, DataplaneSettings.DEFAULTS),
            new IptablesDataplane(options.standingIn(), DataplaneSettings.DEFAULTS));
    for (IptablesDataplane each : rules) {
      sandbox.inNamespace(() -> each.prepare(NOTHING));
      sandbox.inNamespace(
          () -> {
            each.activate();
            return each;
          });
    }
    assertThat(run("--bpffs=" + sandbox.bpffs())).isEqualTo(Failures.FAILED);
    assertThat(err.toString()).contains("Iptables (", "nothing was removed").hasLineCount(1);
    assertThat(saved(variant)).anyMatch(OURS);

    assertThat(run("--force", "--bpffs=" + sandbox.bpffs())).isZero();
    String where = " (iptables-" + variant.name().toLowerCase(Locale.ROOT) + ")";
    assertThat(out.toString().lines())
        .containsExactly(
            "Removed: Iptables" + where,
            "Removed: The stand-in" + where,
            "Nothing of Pointsman is left in this node's kernel.");
    assertThat(saved(variant)).noneMatch(OURS);
  }

  /** A chain without its phase, where iptables sees nothing: somebody's rule of nft hides it. */
  @Test
  void namesWhatItCouldNotRemove() {
    sandbox.inNamespace(
        () -> {
          CommandRunner commands = new CommandRunner();
          commands.lines("iptables-nft", "-t", "nat", "-N", "STANDIN-SERVICES");
          return commands.lines("nft", OnlyNft.hides("ip nat"));
        });
    assertThat(run("--bpffs=" + sandbox.bpffs())).isEqualTo(Failures.FAILED);
    assertThat(err.toString()).contains("is left", "STANDIN-SERVICES").hasLineCount(1);
    assertThat(out.toString()).isEmpty();
  }

  private List<String> saved(Variant variant) {
    List<String> lines = new java.util.ArrayList<>();
    return sandbox.inNamespace(
        () -> {
          for (Family family : Family.values()) {
            new Iptables(new CommandRunner(), family, variant).save(lines::add);
          }
          return lines;
        });
  }

  @Test
  void namesAFolderThatIsNoBpffs() throws java.io.IOException {
    var folder = Files.createTempDirectory("no-bpffs");
    for (var wrong : List.of(folder, folder.resolve("missing"))) {
      assertThat(run("--bpffs=" + wrong)).isEqualTo(Failures.FAILED);
      assertThat(err.toString()).contains("--bpffs: " + wrong + " is not a bpffs");
    }
    Files.delete(folder);
  }

  private void abandon() {
    sandbox.inNamespace(() -> left.prepare(NOTHING));
    left.activate();
    left.close();
  }

  private int attached() {
    return BpfQuery.cgroup(sandbox.cgroup(), CONNECT4).size();
  }

  private int run(String... arguments) {
    var line = new java.util.ArrayList<>(List.of("remove"));
    line.addAll(List.of(arguments));
    return sandbox.inNamespace(
        () ->
            Main.commandLine()
                .setOut(new PrintWriter(out))
                .setErr(new PrintWriter(err))
                .execute(line.toArray(String[]::new)));
  }
}
