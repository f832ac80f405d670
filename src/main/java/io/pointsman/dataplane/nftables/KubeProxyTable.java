// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.CommandRunner.CommandException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** What a kube-proxy in its nftables mode has in its table, one for each family. */
public final class KubeProxyTable implements KubeProxySource {
  private static final String NAME = "kube-proxy";

  private final CommandRunner commands;

  /** Reads where these commands run. */
  public KubeProxyTable(CommandRunner commands) {
    this.commands = commands;
  }

  @Override
  public List<KubeProxyState> read() {
    List<KubeProxyFrontend> frontends = new ArrayList<>();
    List<String> defects = new ArrayList<>();
    List<String> foreign = new ArrayList<>();
    Map<IpFamily, TableReading> readings = new EnumMap<>(IpFamily.class);
    tables().forEach((family, table) -> readings.put(family, new TableReading(family, table)));
    readings.forEach(
        (family, reading) -> {
          String name = "nft " + nftFamily(family) + " " + NAME + ": ";
          frontends.addAll(reading.frontends());
          reading.defects().forEach(defect -> defects.add(name + defect + "."));
          reading.foreign().forEach(each -> foreign.add(name + each + "."));
          if (lacksNodePorts(family, readings)) {
            defects.add(name + "no address is in the set nodeport-ips, so no node port answers.");
          }
        });
    return !readings.isEmpty()
        ? List.of(
            new KubeProxyState(
                KubeProxyMode.NFTABLES,
                KubeProxyMode.NFTABLES.name().toLowerCase(Locale.ROOT),
                frontends,
                defects,
                foreign))
        : List.of();
  }

  /** A node of two families may have no IPv6 address of its own, and has no node ports there. */
  private static boolean lacksNodePorts(IpFamily family, Map<IpFamily, TableReading> readings) {
    TableReading first = readings.get(IpFamily.IPV4);
    boolean excused = family == IpFamily.IPV6 && first != null && !first.hasNodePortsNowhere();
    TableReading reading = readings.get(family);
    return reading != null && !excused && reading.hasNodePortsNowhere();
  }

  /**
   * How many rules and elements of maps and sets there are in all of its tables.
   *
   * @throws DataplaneException when they cannot be read
   */
  public long entries() {
    return tables().values().stream().mapToLong(NftTable::entries).sum();
  }

  /**
   * The tables that are there, as nft names them: {@code ip kube-proxy}.
   *
   * @throws CommandException when they cannot be listed
   */
  public List<String> names() {
    return families().stream().map(family -> nftFamily(family) + " " + NAME).toList();
  }

  /**
   * Deletes the tables that are there.
   *
   * @throws CommandException when nft refuses
   */
  public void delete() {
    families().forEach(family -> commands.lines("nft", "delete", "table", nftFamily(family), NAME));
  }

  /** The families that have a table. */
  private List<IpFamily> families() {
    if (!commands.has("nft")) {
      return List.of();
    }
    List<String> tables = commands.lines("nft", "list", "tables");
    return Stream.of(IpFamily.values())
        .filter(family -> tables.contains("table " + nftFamily(family) + " " + NAME))
        .toList();
  }

  private Map<IpFamily, NftTable> tables() {
    Map<IpFamily, NftTable> found = new EnumMap<>(IpFamily.class);
    try {
      for (IpFamily family : families()) {
        NftTable table = new NftTable();
        commands.read(List.of("nft", "-j", "list", "table", nftFamily(family), NAME), table::read);
        found.put(family, table);
      }
    } catch (CommandException e) {
      throw new DataplaneException("read kube-proxy's tables: " + e.getMessage(), e);
    }
    return found;
  }

  private static String nftFamily(IpFamily family) {
    return family == IpFamily.IPV4 ? "ip" : "ip6";
  }
}
