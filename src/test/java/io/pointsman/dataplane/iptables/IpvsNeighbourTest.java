// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static io.pointsman.dataplane.RandomServices.desired;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** On a node where chains of the same names serve by ip_vs. */
class IpvsNeighbourTest extends IptablesFixture {
  /** As kube-proxy's ipvs mode has it; a part. */
  static final String IPVS =
      """
      *nat
      :KUBE-SERVICES - [0:0]
      :KUBE-POSTROUTING - [0:0]
      :KUBE-MARK-MASQ - [0:0]
      :KUBE-NODE-PORT - [0:0]
      -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
      -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT
      -A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT
      -A KUBE-POSTROUTING -m set --match-set KUBE-LOOP-BACK dst,dst,src -j MASQUERADE
      -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
      -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
      -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
      -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
      COMMIT
      *filter
      :KUBE-FORWARD - [0:0]
      :KUBE-PROXY-FIREWALL - [0:0]
      -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
      -A INPUT -j KUBE-PROXY-FIREWALL
      -A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
      -A KUBE-PROXY-FIREWALL -m set --match-set KUBE-CLUSTER-IP dst,dst -j RETURN
      COMMIT
      """;

  /** The same of a family in which no Service has an address. */
  private static final String WITHOUT_SETS =
      """
      *nat
      :KUBE-SERVICES - [0:0]
      :KUBE-POSTROUTING - [0:0]
      :KUBE-MARK-MASQ - [0:0]
      :KUBE-NODE-PORT - [0:0]
      -A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
      -A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
      -A KUBE-SERVICES -s ::1/128 -j RETURN
      -A KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT
      -A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
      -A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
      -A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
      -A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
      COMMIT
      """;

  /** What ipvs mode does to take over where others serve: its own chains, written anew. */
  private static final String TAKE_OVER =
      IPVS.replaceAll("-A (PREROUTING|OUTPUT|POSTROUTING|FORWARD|INPUT) .*\n", "");

  private static final DesiredState DESIRED = desired(List.of(Samples.WEB, Samples.EMPTY));

  @ParameterizedTest
  @EnumSource(Variant.class)
  void isPreparedBesideItTakesOverAndHandsBack(Variant variant) {
    inside(
        () -> {
          serveByIpvs(variant);
          List<String> before = saved(variant);

          IptablesDataplane dataplane = open(variant);
          dataplane.prepare(DESIRED);
          assertThat(dataplane.phase()).isEqualTo(Phase.PREPARED);
          assertProven(dataplane);
          assertThat(saved(variant)).containsAll(before);

          dataplane.activate();
          assertProven(dataplane);
          assertThat(saved(variant))
              .noneMatch(line -> line.contains("--match-set"))
              .noneMatch(line -> line.contains(ChainNames.STAGED_SERVICES));

          tables(Family.IPV4, variant).restore(out -> out.append(TAKE_OVER));
          dataplane.drain();
          assertThat(dataplane.phase()).isEqualTo(Phase.DRAINING);
          dataplane.remove();
          assertThat(without(saved(variant), "KUBE-FIREWALL"))
              .containsAll(without(before, "-j KUBE-PROXY-FIREWALL"))
              .noneMatch(line -> line.contains("KUBE-SVC") || line.contains("POINTSMAN"))
              .noneMatch(line -> line.startsWith(":KUBE-NODEPORTS"));
        });
  }

  /** As with Services of IPv4 only: ipvs mode has all its chains in the other family, too. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void isPreparedBesideItWhereAFamilyHasNoService(Variant variant) {
    inside(
        () -> {
          serveByIpvs(variant);
          tables(Family.IPV6, variant).restore(out -> out.append(WITHOUT_SETS));
          List<String> before = saved(variant);

          IptablesDataplane dataplane = open(variant);
          dataplane.prepare(DESIRED);
          assertThat(dataplane.phase()).isEqualTo(Phase.PREPARED);
          assertProven(dataplane);
          assertThat(saved(variant)).containsAll(before);
          dataplane.remove();
          assertThat(saved(variant)).containsAll(before);
          assertThat(saved(variant))
              .noneMatch(line -> line.contains("KUBE-SVC") || line.contains("POINTSMAN"));
        });
  }

  /** It is there since an iptables mode that was before, and nobody deletes it. */
  @ParameterizedTest
  @EnumSource(Variant.class)
  void leavesNothingBesideACanaryOfAnEarlierMode(Variant variant) {
    inside(
        () -> {
          serveByIpvs(variant);
          change(variant, "nat", ":KUBE-PROXY-CANARY - [0:0]");
          List<String> before = saved(variant);

          IptablesDataplane dataplane = open(variant);
          dataplane.prepare(DESIRED);
          assertThat(dataplane.phase()).isEqualTo(Phase.PREPARED);
          dataplane.remove();
          assertThat(saved(variant)).containsAll(before);
          assertThat(saved(variant))
              .noneMatch(line -> line.contains("KUBE-SVC") || line.contains("KUBE-SEP"));
        });
  }

  @Test
  void addressesOfServicesAreNoDoorsToNodePorts() {
    // The name makes it the device of an ipvs mode; this kernel may have no dummy devices.
    sandbox.ip("link", "add", "kube-ipvs0", "type", "veth", "peer", "name", "other");
    sandbox.ip("addr", "add", "10.96.0.10/32", "dev", "kube-ipvs0");
    sandbox.ip("addr", "add", "198.51.100.7/24", "dev", "other");
    inside(
        () -> {
          IptablesDataplane dataplane = open(Variant.NFT);
          dataplane.prepare(
              new DesiredState(
                  List.of(Samples.WEB), Set.of(Address.parse("198.51.100.7")), DESIRED.digest()));
          dataplane.activate();
          assertThat(saved(Variant.NFT))
              .filteredOn(line -> line.contains("must be the last rule"))
              .isNotEmpty()
              .allMatch(line -> line.contains("--dst-type LOCAL"));
        });
  }

  private static void serveByIpvs(Variant variant) {
    CommandRunner commands = new CommandRunner();
    commands.lines("ipset", "create", "KUBE-CLUSTER-IP", "hash:ip,port");
    commands.lines("ipset", "create", "KUBE-LOOP-BACK", "hash:ip,port,ip");
    tables(Family.IPV4, variant).restore(out -> out.append(IPVS));
  }

  private static List<String> without(List<String> lines, String word) {
    return lines.stream().filter(line -> !line.contains(word)).toList();
  }

  private static void assertProven(IptablesDataplane dataplane) {
    KernelState kernel = dataplane.read();
    assertThat(kernel.defects()).isEmpty();
    assertThat(kernel.digest()).isEqualTo(DESIRED.digest());
  }
}
