// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Reads and changes real tables in a network namespace. */
class IptablesTest {
  @ParameterizedTest
  @EnumSource(Variant.class)
  void changesWhatItNamesAndNothingElse(Variant variant) {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      for (Family family : Family.values()) {
        Iptables tables = tables(sandbox, family, variant);
        assertThat(tables.usable()).isTrue();
        tables.restore(out -> out.append("*nat\n:MINE - [0:0]\n-A MINE -j RETURN\nCOMMIT\n"));
        tables.restore(out -> out.append("*nat\n:OTHER - [0:0]\n-A OTHER -j MINE\nCOMMIT\n"));
        assertThat(saved(tables))
            .contains("*nat", ":MINE - [0:0]", "-A MINE -j RETURN", "-A OTHER -j MINE");
      }
    }
  }

  /** Where the kernel lacks the family, nft is refused; User-Mode Linux is such a kernel. */
  @Test
  void asksWhetherTheKernelTakesRulesAndLeavesNone() {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      for (Family family : Family.values()) {
        assertThat(tables(sandbox, family, Variant.NFT).supported()).isTrue();
      }
      assertThat(commands(sandbox).lines("nft", "list", "tables")).isEmpty();
    }
    CommandRunner refused = new CommandRunner(List.of("false"));
    assertThat(new Iptables(refused, Family.IPV4, Variant.NFT).supported()).isFalse();
    assertThat(new Iptables(refused, Family.IPV4, Variant.LEGACY).supported()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void tellsWhatBecomesOfPacketsThatAreForwarded(Variant variant) {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      for (Family family : Family.values()) {
        Iptables tables = tables(sandbox, family, variant);
        assertThat(tables.dropsForwarded()).isFalse();
        assertThat(saved(tables)).isEmpty();
        tables.restore(out -> out.append("*filter\n:FORWARD DROP [0:0]\nCOMMIT\n"));
        assertThat(tables.dropsForwarded()).isTrue();
        tables.restore(out -> out.append("*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"));
        assertThat(tables.dropsForwarded()).isFalse();
      }
    }
    Iptables refused = new Iptables(new CommandRunner(List.of("false")), Family.IPV4, Variant.NFT);
    assertThatThrownBy(refused::dropsForwarded).isInstanceOf(CommandRunner.CommandException.class);
  }

  /** The kernel says of each what it says when a rule with it is written. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void asksForExtensionsAndMakesNothing(Variant variant) {
    List<String> matches =
        List.of("ipvs --ipvs", "time --utc", "statistic --mode nth --every 2 --packet 0");
    try (KernelSandbox sandbox = new KernelSandbox()) {
      for (Family family : Family.values()) {
        Iptables tables = tables(sandbox, family, variant);
        assertThat(tables.unsupported(List.of("-m ipvs --ipvs")))
            .isEqualTo(variant == Variant.NFT ? lacking(matches.subList(0, 1)) : Set.of());
        assertThat(saved(tables)).isEmpty();
        tables.restore(out -> out.append("*nat\n:MINE - [0:0]\n-A MINE -j RETURN\nCOMMIT\n"));
        List<String> before = saved(tables);
        assertThat(tables.unsupported(matches.stream().map("-m "::concat).toList()))
            .isEqualTo(lacking(matches));
        assertThat(saved(tables)).isEqualTo(before);
      }
    }
  }

  /** By writing a rule with each. */
  private static Set<String> lacking(List<String> matches) {
    Set<String> lacking = new TreeSet<>();
    try (KernelSandbox sandbox = new KernelSandbox()) {
      for (String match : matches) {
        try {
          commands(sandbox).lines(("iptables-nft -A INPUT -m " + match).split(" "));
        } catch (CommandRunner.CommandException e) {
          assertThat(e.said()).contains("missing kernel module");
          lacking.add(match.split(" ")[0]);
        }
      }
    }
    return lacking;
  }

  /** A question that made the table would have changed a node that was only looked at. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void asksForAChainAndMakesNothing(Variant variant) {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      for (Family family : Family.values()) {
        Iptables tables = tables(sandbox, family, variant);
        assertThat(tables.has("nat", "MINE")).isFalse();
        assertThat(saved(tables)).isEmpty();
        tables.restore(out -> out.append("*nat\n:MINE - [0:0]\n-A MINE -j RETURN\nCOMMIT\n"));
        assertThat(tables.has("nat", "MINE")).isTrue();
        assertThat(tables.has("nat", "OTHER")).isFalse();
        assertThat(tables.has("filter", "MINE")).isFalse();
        assertThat(saved(tables)).doesNotContain("*filter");
      }
    }
  }

  /** What was taken for absent would be written once more beside what is there. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void aChainThatCannotBeAskedForCountsAsBeingThere(Variant variant) {
    CommandRunner refused = new CommandRunner(List.of("false"));
    assertThat(new Iptables(refused, Family.IPV4, variant).has("nat", "MINE")).isTrue();
    CommandRunner missing = new CommandRunner(List.of("no-such-program"));
    assertThat(new Iptables(missing, Family.IPV4, variant).has("nat", "MINE")).isTrue();
  }

  /** Its end is made only after its beginning has been read. */
  @Test
  void aScriptIsStreamed(@TempDir Path folder) {
    Path begun = folder.resolve("begun");
    String reader = "read -r first; touch \"$0\"; cat > /dev/null";
    CommandRunner commands = new CommandRunner(List.of("sh", "-c", reader, begun.toString()));
    new Iptables(commands, Family.IPV4, Variant.NFT)
        .restore(
            out -> {
              for (int i = 0; i < 20_000; i++) {
                out.append(":CHAIN-").append(Integer.toString(i)).append(" - [0:0]\n");
              }
              await().until(() -> Files.exists(begun));
              out.append("COMMIT\n");
            });
  }

  @Test
  void aLargeScriptIsTakenAsAWhole() {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      Iptables tables = tables(sandbox, Family.IPV4, Variant.NFT);
      tables.restore(
          out -> {
            out.append("*nat\n");
            for (int i = 0; i < 20_000; i++) {
              out.append(":CHAIN-").append(Integer.toString(i)).append(" - [0:0]\n");
            }
            out.append("COMMIT\n");
          });
      assertThat(saved(tables)).contains(":CHAIN-0 - [0:0]", ":CHAIN-19999 - [0:0]");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "NFT,-A MINE --bogus,2,-A MINE --bogus",
    "LEGACY,-A MINE --bogus,2,-A MINE --bogus",
    "NFT,-D MINE -j RETURN,2,-D MINE -j RETURN",
    "LEGACY,-D MINE -j RETURN,2,-D MINE -j RETURN",
    "NFT,-X NONE,2,-X NONE",
    "LEGACY,-X NONE,2,-X NONE",
    "NFT,-A PREROUTING -j MASQUERADE,2,-A PREROUTING -j MASQUERADE",
    "LEGACY,-A PREROUTING -j MASQUERADE,3,COMMIT"
  })
  void aRefusalNamesTheLine(Variant variant, String bad, int line, String text) {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      Iptables tables = tables(sandbox, Family.IPV4, variant);
      tables.restore(out -> out.append("*nat\n:MINE - [0:0]\nCOMMIT\n"));
      List<String> before = saved(tables);
      assertThatThrownBy(() -> tables.restore(out -> out.append("*nat\n" + bad + "\nCOMMIT\n")))
          .isInstanceOfSatisfying(
              RestoreException.class,
              refusal -> {
                assertThat(refusal.line()).isEqualTo(line);
                assertThat(refusal.text()).isEqualTo(text);
              })
          .hasMessageContaining(tables.name() + "-restore refused line " + line + " (" + text);
      assertThat(saved(tables)).isEqualTo(before);
    }
  }

  @Test
  void aScriptThatFailsHalfWayChangesNothing() {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      Iptables tables = tables(sandbox, Family.IPV4, Variant.NFT);
      assertThatThrownBy(
              () ->
                  tables.restore(
                      out -> {
                        out.append("*nat\n:MINE - [0:0]\n");
                        throw new IllegalStateException("no more");
                      }))
          .isInstanceOf(CommandRunner.CommandException.class)
          .hasRootCauseMessage("no more");
      assertThat(saved(tables)).doesNotContain(":MINE - [0:0]");
    }
  }

  private static Iptables tables(KernelSandbox sandbox, Family family, Variant variant) {
    return new Iptables(commands(sandbox), family, variant);
  }

  private static CommandRunner commands(KernelSandbox sandbox) {
    return new CommandRunner(List.of("ip", "netns", "exec", sandbox.namespace()));
  }

  private static List<String> saved(Iptables tables) {
    List<String> lines = new ArrayList<>();
    tables.save(lines::add);
    lines.removeIf(line -> line.startsWith("#"));
    return lines;
  }
}
