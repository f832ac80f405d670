// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules that somebody else changed: the proof sees it, and a repair writes what differs. */
class TamperingTest extends IptablesFixture {
  @ParameterizedTest
  @EnumSource(Variant.class)
  void handsAreSeenAndMended(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(variant)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            List<String> damages =
                List.of(
                    "-I KUBE-SERVICES -j RETURN",
                    "-A KUBE-SERVICES -d 10.96.9.9 -p tcp --dport 80 -j KUBE-SVC-CDGGSHYLG3RE2FKL",
                    "-D KUBE-SVC-CDGGSHYLG3RE2FKL 2",
                    "-I KUBE-SVC-CDGGSHYLG3RE2FKL -m recent --name x --rcheck -j RETURN",
                    "-I KUBE-EXT-CDGGSHYLG3RE2FKL -s 192.0.2.0/24 -j RETURN",
                    "-I KUBE-NODEPORTS -d 127.0.0.0/8 -p tcp --dport 30080 -j RETURN",
                    "-F KUBE-POSTROUTING",
                    "-F KUBE-NODEPORTS",
                    "-F PREROUTING",
                    "-F KUBE-SEP-7U6MWNJWR3SADOJA",
                    "-I KUBE-MARK-MASQ -j RETURN",
                    ":KUBE-SEP-AAAAAAAAAAAAAAAA - [0:0]",
                    "-F POINTSMAN-STATE");
            for (String damage : damages) {
              change(variant, "nat", damage);
              KernelState read = dataplane.read();
              assertThat(read.defects().isEmpty() && read.digest().equals(ALL.digest()))
                  .as(damage)
                  .isFalse();
              SyncResult mended = dataplane.repair(ALL);
              assertThat(mended.written() + mended.deleted()).as(damage).isBetween(1, 6);
              assertProven(dataplane, ALL);
            }
          }
        });
  }

  /** As the first line of /etc/nftables.conf does it, {@code flush ruleset}. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void tablesThatWereFlushedServeAgainAtOnce(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(variant)) {
            String before = Sysctls.ROUTE_LOCALNET.value();
            assertThat(before).isNotEqualTo("1");
            dataplane.prepare(ALL);
            dataplane.activate();
            List<String> served = saved(variant);
            for (Family family : Family.values()) {
              for (String table : List.of("nat", "filter")) {
                for (String all : List.of("-F", "-X")) {
                  new CommandRunner().lines(tables(family, variant).name(), "-t", table, all);
                }
              }
            }
            SyncResult mended = dataplane.repair(ALL);
            assertThat(mended.written()).isPositive();
            assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
            assertProven(dataplane, ALL);
            assertThat(saved(variant)).containsExactlyInAnyOrderElementsOf(served);
            dataplane.remove();
            assertThat(Sysctls.ROUTE_LOCALNET.value()).isEqualTo(before);
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void whatIsDroppedInPlaceOfRejectedIsSeen(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(variant)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            String rule =
                "-A KUBE-SERVICES -d 10.96.0.51/32 -p udp -m udp --dport 53 -m comment"
                    + " --comment \"default/empty has no endpoints\" -j ";
            change(variant, "filter", "-F KUBE-SERVICES\n" + rule + "DROP");
            assertThat(dataplane.read().defects()).isNotEmpty();
            dataplane.repair(ALL);
            assertProven(dataplane, ALL);
          }
        });
  }

  /** kube-proxy has such rules for source ranges and health checks, which are not served here. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "-A KUBE-PROXY-FIREWALL -d 10.96.0.50 -p tcp --dport 80 -j DROP",
        "-A KUBE-NODEPORTS -p tcp --dport 31000 -j ACCEPT",
      })
  void aChainThatMustBeEmptyIs(String damage) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = open(Variant.NFT)) {
            dataplane.prepare(ALL);
            dataplane.activate();
            change(Variant.NFT, "filter", damage);
            assertThat(dataplane.read().defects())
                .singleElement(STRING)
                .contains(damage.split(" ")[1]);
            dataplane.repair(ALL);
            assertProven(dataplane, ALL);
          }
        });
  }

  /**
   * Without its rule a client outside the cluster would be answered by an address it never asked.
   */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void whatMasqueradesClientsOutsideTheClusterIsProven(Variant variant) {
    IptablesOptions local =
        IptablesOptions.defaults()
            .in(variant)
            .localTo(
                List.of(
                    AddressRange.parse("10.244.0.0/16"), AddressRange.parse("fd00:10:244::/56")));
    inside(
        () -> {
          try (IptablesDataplane dataplane =
              new IptablesDataplane(local, settings(Scheduler.RANDOM))) {
            dataplane.prepare(ALL);
            dataplane.activate();
            assertProven(dataplane, ALL);
            String chain = ChainNames.service(Samples.ONE.id());
            List<String> damages =
                List.of(
                    "-D " + chain + " 1",
                    "-R " + chain + " 1 ! -s 10.245.0.0/16 -j KUBE-MARK-MASQ",
                    "-I " + chain + " -j KUBE-MARK-MASQ");
            for (String damage : damages) {
              change(variant, "nat", damage);
              assertThat(dataplane.read().defects())
                  .as(damage)
                  .singleElement(STRING)
                  .contains(chain, "outside the cluster");
              dataplane.repair(ALL);
              assertProven(dataplane, ALL);
            }
          }
        });
  }
}
