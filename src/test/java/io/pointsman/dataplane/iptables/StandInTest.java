// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.RandomServices.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The Iptables dataplane once more, beside the first one, under names of its own. */
class StandInTest extends IptablesFixture {
  private static final DesiredState DESIRED = desired(Samples.ALL);

  @ParameterizedTest
  @EnumSource(Variant.class)
  void standsBesideTheDataplaneAndTouchesNothingOfIt(Variant variant) {
    inside(
        () -> {
          addForeign(variant);
          IptablesDataplane dataplane = open(variant);
          dataplane.prepare(DESIRED);
          dataplane.activate();
          List<String> before = saved(variant);

          IptablesDataplane standIn = standIn(variant);
          assertThat(standIn.phase()).isEqualTo(Phase.ABSENT);
          standIn.prepare(DESIRED);
          assertThat(standIn.phase()).isEqualTo(Phase.PREPARED);
          standIn.activate();
          assertProven(standIn, DESIRED);
          assertProven(dataplane, DESIRED);
          assertThat(saved(variant)).containsAll(before);
          assertThat(jumps(saved(variant), "nat", "PREROUTING"))
              .as("flows meet it first")
              .startsWith(ChainNames.SERVICES.replace("KUBE-", StandInView.PREFIX));
          assertThat(saved(variant).stream().filter(line -> line.contains(StandInView.PREFIX)))
              .as("it needs nothing that a kube-proxy may delete")
              .noneMatch(line -> line.contains("KUBE-") || line.contains("POINTSMAN"));

          standIn.drain();
          assertThat(standIn.phase()).isEqualTo(Phase.DRAINING);
          standIn.remove();
          assertThat(saved(variant)).containsExactlyInAnyOrderElementsOf(before);
          assertThat(dataplane.phase()).isEqualTo(Phase.ACTIVE);
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void outlivesTheDataplaneFollowsServicesAndIsAdopted(Variant variant) {
    inside(
        () -> {
          IptablesDataplane dataplane = open(variant);
          dataplane.prepare(DESIRED);
          dataplane.activate();
          IptablesDataplane standIn = standIn(variant);
          standIn.prepare(DESIRED);
          standIn.activate();

          deleteAsKubeProxyDoes(variant);
          assertProven(standIn, DESIRED);
          standIn.apply(new DesiredState.Delta(List.of(), List.of(Samples.ONE)));
          List<ServicePort> left = List.of(Samples.WEB, Samples.WEB_6, Samples.EMPTY);
          assertProven(standIn, desired(left));

          IptablesDataplane next = standIn(variant);
          assertThat(next.phase()).as("after a crash").isEqualTo(Phase.ACTIVE);
          assertThat(next.prepare(desired(left)).written()).isZero();
          assertThat(saved(variant)).noneMatch(line -> line.contains("KUBE-SVC"));
          assertThat(Sysctls.ROUTE_LOCALNET.value()).as("of the dataplane").isEqualTo("1");

          dataplane.drain();
          dataplane.remove();
          next.drain();
          next.remove();
          assertThat(saved(variant))
              .noneMatch(line -> line.contains("POINTSMAN") || line.contains(StandInView.PREFIX));
          assertThat(Sysctls.ROUTE_LOCALNET.value()).isEqualTo("0");
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void standsInFrontOfRulesThatServeByIpvs(Variant variant) {
    inside(
        () -> {
          CommandRunner commands = new CommandRunner();
          commands.lines("ipset", "create", "KUBE-CLUSTER-IP", "hash:ip,port");
          commands.lines("ipset", "create", "KUBE-LOOP-BACK", "hash:ip,port,ip");
          tables(Family.IPV4, variant).restore(out -> out.append(IpvsNeighbourTest.IPVS));
          List<String> before = saved(variant);

          IptablesDataplane standIn = standIn(variant);
          standIn.prepare(DESIRED);
          standIn.activate();
          assertProven(standIn, DESIRED);
          assertThat(saved(variant)).containsAll(before);
          assertThat(jumps(saved(variant), "nat", "PREROUTING"))
              .containsExactly("STANDIN-SERVICES", "KUBE-SERVICES");

          deleteAsKubeProxyDoes(variant);
          assertProven(standIn, DESIRED);
          standIn.drain();
          standIn.remove();
          assertThat(saved(variant)).noneMatch(line -> line.contains(StandInView.PREFIX));
        });
  }

  /** As a crash of an older version left them. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void whatNothingTellsOfIsFoundAndRemoved(Variant variant) {
    inside(
        () -> {
          addForeign(variant);
          IptablesDataplane dataplane = open(variant);
          dataplane.prepare(DESIRED);
          List<String> before = saved(variant);
          tables(Family.IPV4, variant)
              .restore(
                  out ->
                      out.append("*nat\n:STANDIN-SVC-X - [0:0]\n:STANDIN-SEP-X - [0:0]\n")
                          .append("-A STANDIN-SVC-X -j STANDIN-SEP-X\nCOMMIT\n"));
          IptablesDataplane standIn = standIn(variant);
          assertThat(standIn.phase()).isEqualTo(Phase.ABSENT);
          assertThat(standIn.leftovers())
              .containsExactly(
                  "%s: chain nat STANDIN-SEP-X".formatted(variant.text()),
                  "%s: chain nat STANDIN-SVC-X".formatted(variant.text()));
          standIn.remove();
          assertThat(standIn.leftovers()).isEmpty();
          assertThat(saved(variant)).containsExactlyInAnyOrderElementsOf(before);
          assertThat(dataplane.leftovers())
              .containsExactly(
                  "%s: chain nat POINTSMAN-STATE".formatted(variant.text()),
                  "ip6%s: chain nat POINTSMAN-STATE".formatted(variant.text().substring(2)));
        });
  }

  @ParameterizedTest
  @EnumSource(Variant.class)
  void changesNoSetting(Variant variant) {
    inside(
        () -> {
          IptablesDataplane standIn = standIn(variant);
          standIn.prepare(DESIRED);
          standIn.activate();
          assertProven(standIn, DESIRED);
          assertThat(Sysctls.ROUTE_LOCALNET.value()).isEqualTo("0");
          new CommandRunner().lines("sysctl", "-w", "net.ipv4.conf.all.route_localnet=1");
          standIn.remove();
          assertThat(Sysctls.ROUTE_LOCALNET.value()).as("somebody else's").isEqualTo("1");
        });
  }

  /** pkg/proxy/iptables/cleanup.go: jumps, then all chains that it knows, in each table. */
  private static void deleteAsKubeProxyDoes(Variant variant) {
    for (Family family : Family.values()) {
      ChainRemoval removal = new ChainRemoval(ChainRemoval.OF_KUBE_PROXY);
      tables(family, variant).save(removal::accept);
      assertThat(removal.kept()).isEmpty();
      tables(family, variant).restore(removal.script(variant));
    }
  }

  private static List<String> jumps(List<String> lines, String table, String chain) {
    return lines.subList(lines.indexOf("*" + table), lines.size()).stream()
        .takeWhile(line -> !line.equals("COMMIT"))
        .filter(line -> line.startsWith("-A " + chain + " "))
        .map(line -> line.substring(line.lastIndexOf(' ') + 1))
        .toList();
  }

  private static IptablesDataplane standIn(Variant variant) {
    return new IptablesDataplane(
        IptablesOptions.defaults().in(variant).standingIn(), settings(Scheduler.RANDOM));
  }
}
