// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.KernelSandbox;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Rules that ask for conntrack, in whichever place this kernel has for them. */
class TranslationHoldTest {
  private final KernelSandbox sandbox = new KernelSandbox();
  private final CommandRunner commands =
      new CommandRunner(List.of("ip", "netns", "exec", sandbox.namespace()));

  @AfterEach
  void close() {
    sandbox.close();
  }

  @Test
  void holdsTheFamiliesThatHaveFlowsAndNoOthers() {
    var hold = new TranslationHold(commands);
    hold.keep(Set.of(IpFamily.IPV4, IpFamily.IPV6));
    hold.keep(Set.of(IpFamily.IPV4, IpFamily.IPV6));
    assertThat(held("nft list ruleset", "iptables-legacy-save")).isPositive();
    assertThat(held("nft list ruleset", "ip6tables-legacy-save")).isPositive();
    hold.keep(Set.of(IpFamily.IPV6));
    assertThat(held("nft list ruleset ip", "iptables-legacy-save")).isZero();
    assertThat(held("nft list ruleset ip6", "ip6tables-legacy-save")).isPositive();
    hold.keep(Set.of());
    assertThat(held("nft list ruleset", "iptables-legacy-save", "ip6tables-legacy-save")).isZero();
  }

  /** Then the pins went, which tell that there is something to do, and nobody came again. */
  @Test
  void whatCannotBeTakenAwayIsTold() {
    var hold = new TranslationHold(commands);
    hold.keep(Set.of(IpFamily.IPV4, IpFamily.IPV6));
    assertThat(hold.leftovers()).hasSize(2).allMatch(it -> it.matches("(?i).*pointsman-flows"));
    CommandRunner refusing =
        new CommandRunner(
            List.of(
                "ip",
                "netns",
                "exec",
                sandbox.namespace(),
                "sh",
                "-c",
                "case \"$*\" in 'nft -f -'|*-restore*) echo busy >&2; exit 1;; esac; exec \"$@\"",
                "sh"));
    assertThatThrownBy(new TranslationHold(refusing)::remove)
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("busy");
    assertThat(hold.leftovers()).isNotEmpty();
    hold.remove();
    assertThat(hold.leftovers()).isEmpty();
  }

  /** Lines with the name of ours; a kernel without nf_tables for the family has none there. */
  private long held(String... listings) {
    List<String> lines = new ArrayList<>();
    for (String listing : listings) {
      try {
        lines.addAll(commands.lines(listing.split(" ", -1)));
      } catch (CommandException e) {
        assertThat(listing).startsWith("nft ");
      }
    }
    return lines.stream()
        .filter(line -> line.toLowerCase(Locale.ROOT).contains("pointsman-flows"))
        .count();
  }
}
