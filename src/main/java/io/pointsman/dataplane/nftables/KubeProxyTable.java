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
import java.util.List;
import java.util.Locale;

/** Reads what a kube-proxy in its nftables mode has in its table, one for each family. */
public final class KubeProxyTable implements KubeProxySource {
  private static final String NAME = "kube-proxy";

  private final CommandRunner commands;

  /** Reads where these commands run. */
  public KubeProxyTable(CommandRunner commands) {
    this.commands = commands;
  }

  @Override
  public List<KubeProxyState> read() {
    if (!commands.has("nft")) {
      return List.of();
    }
    List<KubeProxyFrontend> frontends = new ArrayList<>();
    List<String> defects = new ArrayList<>();
    boolean found = false;
    try {
      List<String> tables = commands.lines("nft", "list", "tables");
      for (IpFamily family : IpFamily.values()) {
        String nftFamily = family == IpFamily.IPV4 ? "ip" : "ip6";
        if (tables.contains("table " + nftFamily + " " + NAME)) {
          found = true;
          NftTable table = new NftTable();
          commands.read(List.of("nft", "-j", "list", "table", nftFamily, NAME), table::read);
          TableReading reading = new TableReading(family, table);
          frontends.addAll(reading.frontends());
          reading
              .defects()
              .forEach(
                  defect -> defects.add("nft " + nftFamily + " " + NAME + ": " + defect + "."));
        }
      }
    } catch (CommandException e) {
      throw new DataplaneException("read kube-proxy's tables: " + e.getMessage(), e);
    }
    return found
        ? List.of(
            new KubeProxyState(
                KubeProxyMode.NFTABLES,
                KubeProxyMode.NFTABLES.name().toLowerCase(Locale.ROOT),
                frontends,
                defects,
                List.of()))
        : List.of();
  }
}
