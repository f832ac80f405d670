// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.dataplane.iptables.ChainRemoval;
import io.pointsman.dataplane.ipvs.IpvsNames;
import io.pointsman.dataplane.ipvs.IpvsOptions;
import io.pointsman.dataplane.ipvs.KubeProxyServers;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.nftables.KubeProxyTable;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables.Variant;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.jboss.logging.Logger;

/**
 * Takes away what kube-proxy left in the kernel and reads that it is gone. Connections that
 * kube-proxy translated live on in conntrack, which is not touched.
 */
final class KubeProxyCleaner {
  private static final Logger LOG = Logger.getLogger(KubeProxyCleaner.class);
  private static final List<String> IPTABLES =
      List.of("iptables-nft", "ip6tables-nft", "iptables-legacy", "ip6tables-legacy");
  private static final List<String> NFT_FAMILIES = List.of("ip", "ip6");
  private static final String NFT_TABLE = "kube-proxy";

  private final CommandRunner commands;

  KubeProxyCleaner(CommandRunner commands) {
    this.commands = commands;
  }

  /**
   * Removes everything of kube-proxy's that the serving dataplane does not use, and looks again.
   *
   * @return what is still there; empty when it is clean
   */
  List<String> clean(LinuxDataplane serving) {
    for (String program : IPTABLES) {
      if (commands.has(program + "-save")) {
        ChainRemoval tables = tables(program, serving);
        tables.kept().forEach(c -> LOG.infof("%s: chain %s stays, others use it", program, c));
        if (!tables.isClean()) {
          Variant variant = program.endsWith("-legacy") ? Variant.LEGACY : Variant.NFT;
          commands.run(
              List.of(program + "-restore", "--noflush", "--wait"),
              tables.script(variant),
              LOG::debug);
        }
      }
    }
    nftTables().forEach(table -> commands.run(delete(table), "", LOG::debug));
    if (hasDevice(serving)) {
      // Before the sets and the device, which tell whose a virtual server is.
      new KubeProxyServers(IpvsOptions.defaults().by(commands)).remove();
    }
    ipsets(serving).forEach(set -> commands.run(List.of("ipset", "destroy", set), "", LOG::debug));
    if (hasDevice(serving)) {
      KubeProxyServers.removeDevice();
    }
    return leftovers(serving);
  }

  /** Connections that a kube-proxy in its ipvs mode left to ip_vs, which end with its servers. */
  static long connections(LinuxDataplane serving) {
    return hasDevice(serving) ? KubeProxyServers.connections() : 0;
  }

  /** What is left of kube-proxy in the kernel that the dataplane does not use, in words. */
  List<String> leftovers(LinuxDataplane serving) {
    List<String> found = chains(chainsOfOthers(serving));
    nftTables().forEach(table -> found.add("nftables: " + table));
    ipsets(serving).forEach(set -> found.add("ipset " + set));
    if (hasDevice(serving)) {
      found.add("device kube-ipvs0");
    }
    return found;
  }

  /** What is in the kernel of modes that a running kube-proxy is not in, in words. */
  List<String> leftovers(KubeProxyMode running) {
    return switch (running) {
      case IPTABLES -> leftovers(LinuxDataplane.IPTABLES);
      case NFTABLES -> {
        List<String> found = leftovers(LinuxDataplane.NFTABLES);
        found.removeIf(each -> each.startsWith("nftables: "));
        yield found;
      }
      case IPVS -> {
        List<String> found = chains(ChainRemoval.OF_IPTABLES_MODE);
        nftTables().forEach(table -> found.add("nftables: " + table));
        yield found;
      }
    };
  }

  private List<String> chains(Map<String, Pattern> wanted) {
    List<String> found = new ArrayList<>();
    for (String program : IPTABLES) {
      if (commands.has(program + "-save")) {
        tables(program, wanted).chains().forEach(chain -> found.add(program + ": chain " + chain));
      }
    }
    return found;
  }

  /**
   * How many rules, elements, members of sets and addresses {@link #clean} would take away; changes
   * nothing. Virtual servers are not among them.
   */
  long entries(LinuxDataplane serving) {
    long[] entries = {0};
    for (String program : IPTABLES) {
      if (commands.has(program + "-save")) {
        entries[0] += tables(program, serving).rules();
      }
    }
    entries[0] += new KubeProxyTable(commands).entries();
    for (String set : ipsets(serving)) {
      commands.run(
          List.of("ipset", "save", set), "", line -> entries[0] += line.startsWith("add ") ? 1 : 0);
    }
    if (hasDevice(serving)) {
      entries[0] += KubeProxyServers.addresses();
    }
    return entries[0];
  }

  /** Chains of kube-proxy's by table; those that a dataplane of ours keeps are not among them. */
  private static Map<String, Pattern> chainsOfOthers(LinuxDataplane serving) {
    return switch (serving) {
      case IPTABLES -> ChainRemoval.BESIDE_IPTABLES;
      case IPVS -> ChainRemoval.BESIDE_IPVS;
      case NFTABLES, BPF -> ChainRemoval.OF_KUBE_PROXY;
    };
  }

  /** Whether there is the device of an ipvs mode, and it is kube-proxy's. */
  private static boolean hasDevice(LinuxDataplane serving) {
    return serving != LinuxDataplane.IPVS && KubeProxyServers.hasDevice();
  }

  private ChainRemoval tables(String program, LinuxDataplane serving) {
    return tables(program, chainsOfOthers(serving));
  }

  private ChainRemoval tables(String program, Map<String, Pattern> wanted) {
    ChainRemoval tables = new ChainRemoval(wanted);
    commands.run(List.of(program + "-save"), "", tables::accept);
    return tables;
  }

  private List<String> nftTables() {
    if (!commands.has("nft")) {
      return List.of();
    }
    List<String> present = commands.lines("nft", "list", "tables");
    return NFT_FAMILIES.stream()
        .map(family -> "table " + family + " " + NFT_TABLE)
        .filter(present::contains)
        .toList();
  }

  private static List<String> delete(String table) {
    List<String> command = new ArrayList<>(List.of("nft", "delete"));
    command.addAll(List.of(table.split(" ", -1)));
    return command;
  }

  private List<String> ipsets(LinuxDataplane serving) {
    // Without ip_set in the kernel there are no sets, and ipset would only fail to say so.
    if (!commands.has("ipset") || !Files.exists(Path.of("/sys/module/ip_set"))) {
      return List.of();
    }
    Set<String> used = serving == LinuxDataplane.IPVS ? IpvsNames.sets() : Set.of();
    return commands.lines("ipset", "list", "-n").stream()
        .filter(set -> IpvsNames.isSetOfKubeProxy(set) && !used.contains(set))
        .toList();
  }
}
