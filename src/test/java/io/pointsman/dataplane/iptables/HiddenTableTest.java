// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.RandomServices.desired;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.OnlyNft;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Somebody has a rule that only nft can show: iptables-save leaves out the whole table, as if
 * nothing were in it, and iptables-restore writes into it all the same.
 */
class HiddenTableTest extends IptablesFixture {
  private static final DesiredState BEFORE = desired(List.of(Samples.WEB));
  private static final DesiredState AFTER = desired(List.of(Samples.WEB, Samples.ONE));

  private final CommandRunner commands = new CommandRunner();

  /** All of it was written again at each look, and the jumps from built-in chains once more. */
  @ParameterizedTest
  @ValueSource(strings = {"nat", "filter"})
  void servicesAreFollowedAndNothingIsWrittenTwice(String table) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(BEFORE);
            dataplane.activate();
            List<String> jumps = jumps();
            hide(table);
            assertThat(dataplane.read().defects())
                .singleElement(STRING)
                .isEqualTo(
                    "iptables-nft-save leaves out the table %s, because it holds a rule that only"
                            .formatted(table)
                        + " nft can show. Take that rule out: 'nft list table ip %s' shows it."
                            .formatted(table));
            assertThat(dataplane.repair(BEFORE).written()).isZero();
            dataplane.apply(new Delta(List.of(new Change(null, Samples.ONE)), List.of()));
            SyncResult again = dataplane.repair(AFTER);
            assertThat(again.written() + again.deleted()).isZero();
            show(table);
            assertProven(dataplane, AFTER);
            assertThat(jumps()).isEqualTo(jumps);
          }
        });
  }

  /** A change that no event told of, because the programs were repaired meanwhile. */
  @Test
  void aRepairWritesWhatIsKnownToDiffer() {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(AFTER);
            dataplane.activate();
            hide("nat");
            dataplane.repair(BEFORE);
            show("nat");
            assertProven(dataplane, BEFORE);
          }
        });
  }

  /** Chains stayed in the table for ever. */
  @ParameterizedTest
  @ValueSource(strings = {"nat", "filter"})
  void whatCannotBeSeenIsNotTakenForRemoved(String table) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(BEFORE);
            hide(table);
            assertHidden(dataplane::activate, table);
            assertHidden(dataplane::drain, table);
            assertHidden(dataplane::remove, table);
            show(table);
            dataplane.remove();
            assertThat(saved(Variant.NFT)).noneMatch(line -> line.startsWith(":KUBE-"));
          }
        });
  }

  /** IPv6 served already, and was taken out at once as if it had only been prepared. */
  @Test
  void aFamilyThatServesCountsWhenTheOtherDoesNot() {
    inside(
        () -> {
          DesiredState both = desired(List.of(Samples.WEB, Samples.WEB_6));
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(both);
            hide("filter");
            assertHidden(dataplane::activate, "filter");
            assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
          }
          try (IptablesDataplane later = open(Variant.NFT)) {
            assertThat(later.phase()).isEqualTo(Phase.ACTIVE);
            show("filter");
            later.prepare(both);
            assertProven(later, both);
          }
        });
  }

  /** An agent that starts then took a node that it served for one that it does not serve. */
  @Test
  void aPhaseThatCannotBeSeenIsNotTakenForNone() {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(BEFORE);
            dataplane.activate();
          }
          hide("nat");
          try (IptablesDataplane later = open(Variant.NFT)) {
            assertHidden(later::phase, "nat");
            show("nat");
            assertThat(later.phase()).isEqualTo(Phase.ACTIVE);
          }
        });
  }

  /** Somebody's own table of nftables, where Pointsman never was. */
  @Test
  void aNodeThatHasOneIsNamedAndLeftAsItIs() {
    inside(
        () -> {
          hide("nat");
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            assertThat(dataplane.preflight().findings())
                .contains(
                    new Finding(
                        Severity.BLOCKING,
                        "TableHidden",
                        "iptables-nft-save leaves out the table nat, because it holds a rule that"
                            + " only nft can show.",
                        "Take that rule out: 'nft list table ip nat' shows it."));
            assertThat(dataplane.phase()).isEqualTo(Phase.ABSENT);
            String before = tablesOfIpv4();
            assertHidden(() -> dataplane.prepare(BEFORE), "nat");
            dataplane.remove();
            assertThat(tablesOfIpv4()).isEqualTo(before);
            assertThat(saved(Variant.NFT)).noneMatch(line -> line.startsWith(":KUBE-"));
          }
        });
  }

  /** A node whose kube-proxy cannot be seen was one without kube-proxy. */
  @ParameterizedTest
  @ValueSource(strings = {"nat", "filter"})
  void aKubeProxyThatCannotBeSeenIsNotTakenForNone(String table) {
    inside(
        () -> {
          tables(Family.IPV4, Variant.NFT)
              .restore(out -> out.append("*nat\n:KUBE-SERVICES - [0:0]\nCOMMIT\n"));
          KubeProxyTables kubeProxy = new KubeProxyTables(commands);
          assertThat(kubeProxy.read()).hasSize(1);
          hide(table);
          assertHidden(kubeProxy::read, table);
        });
  }

  private void hide(String table) {
    commands.lines("nft", OnlyNft.hides("ip " + table));
  }

  private void show(String table) {
    commands.lines("nft", OnlyNft.shows("ip " + table));
  }

  private String tablesOfIpv4() {
    return String.join("\n", commands.lines("nft", "list ruleset ip"));
  }

  private List<String> jumps() {
    return saved(Variant.NFT).stream().filter(line -> line.matches("-A [A-Z]+ .*")).toList();
  }

  private static void assertHidden(Runnable action, String table) {
    assertThatThrownBy(action::run)
        .isInstanceOf(DataplaneException.class)
        .hasMessageContaining("iptables-nft-save leaves out the table " + table);
  }
}
