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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What iptables-restore is given to read, and what comes of it when a line is refused. */
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
        *-restore) tee -a %s | sed -f %s | "$@" ;;
        *) exec "$@" ;;
        esac
        """
            .formatted(scripts, edits));
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

  /** A dataplane whose commands are watched. */
  private IptablesDataplane watched(Variant variant) {
    List<String> prefix = List.of(folder.resolve("wrapper").toString());
    return new IptablesDataplane(
        new IptablesOptions(new CommandRunner(prefix), Optional.of(variant), List.of()),
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
