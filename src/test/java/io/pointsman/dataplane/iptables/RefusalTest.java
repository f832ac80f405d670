// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.RandomServices.desired;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** What iptables-restore is given to read, and what comes of it when a line is refused. */
@Execution(ExecutionMode.CONCURRENT)
class RefusalTest extends IptablesFixture {
  @TempDir Path folder;
  private Path edits;
  private Path scripts;

  /** Stands before every command: notes what iptables-restore reads, and edits it on its way. */
  @BeforeEach
  void standInBetween() throws IOException {
    edits = Files.createFile(folder.resolve("edits.sed"));
    scripts = Files.createFile(folder.resolve("scripts"));
    Path wrapper = folder.resolve("wrapper");
    Files.writeString(
        wrapper,
        """
        #!/bin/sh
        case "$1" in
        *-restore)
          [ -e %s/deadly ] && kill -9 $$
          tee -a %s | sed -f %s | "$@" ;;
        *) exec "$@" ;;
        esac
        """
            .formatted(folder, scripts, edits));
    Files.setPosixFilePermissions(wrapper, PosixFilePermissions.fromString("rwx------"));
  }

  @Test
  void aChangeCarriesOnlyWhatItTouches() {
    inside(
        () -> {
          List<ServicePort> ports = ports(1500);
          try (IptablesDataplane dataplane = watched(Variant.NFT)) {
            dataplane.prepare(desired(ports));
            dataplane.activate();
            Files.writeString(scripts, "");
            ServicePort before = ports.get(700);
            ServicePort after =
                new ServicePort(before.id(), before.frontends(), before.backends().subList(0, 1));
            ports.set(700, after);
            dataplane.apply(new Delta(List.of(new Change(before, after)), List.of()));
            assertThat(Files.readAllLines(scripts))
                .hasSize(6)
                .filteredOn(line -> line.startsWith(":"))
                .containsExactly(
                    ":" + ChainNames.service(after.id()) + " - [0:0]",
                    ":"
                        + ChainNames.endpoint(
                            after.id(), ChainNames.socket(before.backends().get(1)))
                        + " - [0:0]");
            assertProven(dataplane, desired(ports));
          }
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void aLineThatIsRefusedIsNamedAndEverythingElseServes(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = watched(variant)) {
            DesiredState before = desired(List.of(Samples.WEB, Samples.WEB_6));
            dataplane.prepare(before);
            dataplane.activate();
            Files.writeString(edits, "s/^-A KUBE-SEP-XYZ2GE6BUUA3CKGD .*DNAT/& --bogus/\n");
            assertThatThrownBy(
                    () ->
                        dataplane.apply(
                            new Delta(List.of(new Change(null, Samples.ONE)), List.of())))
                .isInstanceOf(DataplaneException.class)
                .hasMessageContaining("iptables-")
                .hasMessageContaining(
                    "(-A KUBE-SEP-XYZ2GE6BUUA3CKGD -m comment --comment \"default/one\" -m udp -p"
                        + " udp -j DNAT --to-destination 10.244.0.9:5353)")
                .hasMessageContaining("--bogus");
            assertThat(dataplane.read().digest()).isEqualTo(before.digest());
            assertThatThrownBy(() -> dataplane.apply(new Delta(List.of(), List.of(Samples.WEB))))
                .hasMessageContaining("repair with the whole desired state first");
            Files.writeString(edits, "");
            DesiredState after = desired(List.of(Samples.WEB, Samples.WEB_6, Samples.ONE));
            dataplane.repair(after);
            assertProven(dataplane, after);
          }
        });
  }

  /** The next change was written upon what nobody knew. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void aWriteThatDiesWithoutAWordIsRepairedBeforeTheNextChange(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = watched(variant)) {
            dataplane.prepare(desired(List.of(Samples.WEB)));
            dataplane.activate();
            Delta more = new Delta(List.of(new Change(null, Samples.ONE)), List.of());
            Path deadly = Files.createFile(folder.resolve("deadly"));
            assertThatThrownBy(() -> dataplane.apply(more)).hasMessageContaining("ended with 137");
            Files.delete(deadly);
            assertThatThrownBy(() -> dataplane.apply(more))
                .hasMessageContaining("repair with the whole desired state first");
            DesiredState after = desired(List.of(Samples.WEB, Samples.ONE));
            dataplane.repair(after);
            assertProven(dataplane, after);
          }
        });
  }

  @Test
  void aRefusalThatPassesIsHealedAtOnce() {
    inside(
        () -> {
          try (IptablesDataplane dataplane = watched(Variant.NFT)) {
            dataplane.prepare(desired(List.of(Samples.WEB)));
            dataplane.activate();
            // A change inserts its rules, a full write appends them.
            Files.writeString(edits, "s/^-I KUBE-SERVICES /-I KUBE-NOWHERE /\n");
            SyncResult healed =
                dataplane.apply(new Delta(List.of(new Change(null, Samples.ONE)), List.of()));
            assertThat(healed.fallbacks())
                .singleElement(STRING)
                .contains("(-I KUBE-SERVICES ", "default/one");
            assertProven(dataplane, desired(List.of(Samples.WEB, Samples.ONE)));
          }
        });
  }

  /** Somebody deletes a rule that a change is about to delete. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void aChangeThatIsWrittenInFullSaysWhatWasRefused(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = watched(variant)) {
            dataplane.prepare(desired(List.of(Samples.WEB, Samples.ONE)));
            dataplane.activate();
            tables(Family.IPV4, variant)
                .restore(out -> out.append("*nat\n-F KUBE-SERVICES\nCOMMIT\n"));
            Delta gone = new Delta(List.of(), List.of(Samples.ONE));
            SyncResult result = dataplane.apply(gone);
            assertThat(result.fallbacks())
                .singleElement(STRING)
                .startsWith("The change of default/one")
                .contains("was written in full", "-restore refused line ", "-D KUBE-SERVICES ");
            DesiredState after = desired(List.of(Samples.WEB));
            assertProven(dataplane, after);
            Change back = new Change(null, Samples.ONE);
            assertThat(dataplane.apply(new Delta(List.of(back), List.of())).fallbacks()).isEmpty();
          }
        });
  }

  /** Nat was committed before: without that its chains stayed there for ever. */
  @Test
  void whatWasCommittedBeforeARefusalIsKnown() {
    inside(
        () -> {
          try (IptablesDataplane dataplane = watched(Variant.NFT)) {
            Files.writeString(edits, "s/^-A KUBE-FORWARD .*/& --bogus/\n");
            assertThatThrownBy(() -> dataplane.prepare(desired(List.of(Samples.WEB))))
                .hasMessageContaining("--bogus");
            assertThat(dataplane.phase()).isEqualTo(Phase.PREPARED);
            Files.writeString(edits, "");
            dataplane.remove();
            assertThat(saved(Variant.NFT)).noneMatch(line -> line.startsWith(":KUBE-S"));
          }
        });
  }

  /** Its chains stayed for ever: nothing said that they were there. */
  @ParameterizedTest
  @CsvSource({"NFT, false", "NFT, true", "LEGACY, false", "LEGACY, true"})
  void aKillWhileChainsAreWrittenLeavesNothingInTheEnd(Variant variant, boolean standIn) {
    inside(
        () -> {
          addForeign(variant);
          List<String> before = saved(variant);
          for (int commits = 1; commits <= 4; commits++) {
            cutAfter(commits);
            try (IptablesDataplane killed = watched(variant, standIn)) {
              inVain(() -> killed.prepare(desired(many())));
            }
            cutNothing();
            assertThat(saved(variant)).hasSizeGreaterThan(before.size());
            try (IptablesDataplane later = watched(variant, standIn)) {
              assertThat(later.phase()).as("%d commits", commits).isEqualTo(Phase.PREPARED);
              later.remove();
            }
            assertThat(saved(variant)).containsExactlyInAnyOrderElementsOf(before);
          }
        });
  }

  /** With the first of several commits went what says that there is something to take away. */
  @ParameterizedTest
  @CsvSource({"NFT, false", "NFT, true", "LEGACY, false", "LEGACY, true"})
  void aKillWhileChainsAreTakenAwayLeavesNothingInTheEnd(Variant variant, boolean standIn) {
    inside(
        () -> {
          addForeign(variant);
          List<String> before = saved(variant);
          try (IptablesDataplane dataplane = watched(variant, standIn)) {
            dataplane.prepare(desired(many()));
            dataplane.activate();
          }
          cutAfter(1);
          int kills = 0;
          for (Phase phase = Phase.ACTIVE; phase != Phase.ABSENT; kills++) {
            try (IptablesDataplane killed = watched(variant, standIn)) {
              inVain(killed::remove);
            }
            try (IptablesDataplane later = watched(variant, standIn)) {
              phase = later.phase();
            }
          }
          assertThat(kills).isGreaterThan(variant == Variant.NFT ? 5 : 3);
          assertThat(saved(variant)).containsExactlyInAnyOrderElementsOf(before);
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void aLineThatIsRefusedAmongTheFirstLeavesNothingInTheEnd(Variant variant) {
    inside(
        () -> {
          try (IptablesDataplane dataplane = watched(variant)) {
            Files.writeString(edits, "s/^-A KUBE-SEP-XYZ2GE6BUUA3CKGD .*DNAT/& --bogus/\n");
            assertThatThrownBy(
                    () -> dataplane.prepare(desired(List.of(Samples.WEB_6, Samples.ONE))))
                .hasMessageContaining("--bogus");
            assertThat(dataplane.phase()).isEqualTo(Phase.PREPARED);
            Files.writeString(edits, "");
            dataplane.remove();
            assertThat(saved(variant))
                .noneMatch(line -> line.contains("KUBE-") || line.contains("POINTSMAN"));
          }
        });
  }

  /** More than go into one commit, in one of two families. */
  private static List<ServicePort> many() {
    List<ServicePort> ports = ports(700);
    ports.add(Samples.WEB_6);
    return ports;
  }

  /** From now on each iptables-restore ends after so many commits. */
  private void cutAfter(int commits) throws IOException {
    Files.writeString(
        edits, "/^COMMIT/{\nx\ns/^/x/\n/^x\\{%d\\}$/{\nx\nq\n}\nx\n}\n".formatted(commits));
  }

  /** A script that is short may have been taken whole before its reader ended. */
  private static void inVain(Runnable action) {
    try {
      action.run();
    } catch (DataplaneException e) {
      assertThat(e).hasMessageContaining("-restore");
    }
  }

  private void cutNothing() throws IOException {
    Files.writeString(edits, "");
  }

  /** A dataplane whose commands are watched. */
  private IptablesDataplane watched(Variant variant) {
    return watched(variant, false);
  }

  private IptablesDataplane watched(Variant variant, boolean standIn) {
    List<String> prefix = List.of(folder.resolve("wrapper").toString());
    return new IptablesDataplane(
        new IptablesOptions(new CommandRunner(prefix), Optional.of(variant), List.of(), standIn),
        settings(Scheduler.RANDOM));
  }

  private static List<ServicePort> ports(int count) {
    List<ServicePort> ports = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      ServicePortId id =
          new ServicePortId("default", "service-" + i, "", Protocol.TCP, IpFamily.IPV4);
      Address vip = Address.ofV4(0x0a60_0000 + i);
      ports.add(
          new ServicePort(
              id,
              List.of(Samples.frontend(vip.toString(), 80, Protocol.TCP, FrontendKind.CLUSTER_IP)),
              List.of(
                  new Backend(Address.ofV4(0x0af4_0000 + 2 * i), 8080, false),
                  new Backend(Address.ofV4(0x0af4_0001 + 2 * i), 8080, false))));
    }
    return ports;
  }
}
