// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.iptables.ChainRemoval;
import io.pointsman.dataplane.iptables.ChainSearch;
import io.pointsman.dataplane.ipvs.IpvsDataplane;
import io.pointsman.dataplane.ipvs.IpvsNames;
import io.pointsman.dataplane.ipvs.IpvsOptions;
import io.pointsman.dataplane.ipvs.KubeProxyServers;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.nftables.KubeProxyTable;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/**
 * Takes away what kube-proxy left in the kernel and reads that it is gone. Connections that
 * kube-proxy translated live on in conntrack, which is not touched.
 */
final class KubeProxyCleaner {
  private static final Logger LOG = Logger.getLogger(KubeProxyCleaner.class);

  private final CommandRunner commands;
  private final KubeProxyTable nftTables;

  KubeProxyCleaner(CommandRunner commands) {
    this.commands = commands;
    this.nftTables = new KubeProxyTable(commands);
  }

  /**
   * Removes everything of kube-proxy's that the serving dataplane does not use, and looks again.
   *
   * @return what is still there; empty when it is clean
   */
  List<String> clean(LinuxDataplane serving) {
    for (Iptables tool : ChainSearch.tools(commands)) {
      ChainRemoval tables = tables(tool, chainsOfOthers(serving));
      tables.kept().forEach(c -> LOG.infof("%s: chain %s stays, others use it", tool.name(), c));
      if (!tables.isClean()) {
        commands.run(
            List.of(tool.name() + "-restore", "--noflush", "--wait"),
            tables.script(tool.variant()),
            LOG::debug);
      }
    }
    nftTables.delete();
    List<String> sets = ipsets(serving);
    if (hasDevice(serving) || serving != LinuxDataplane.IPVS && !sets.isEmpty()) {
      // Before the sets and the device, either of which tells whose a virtual server is.
      new KubeProxyServers(IpvsOptions.defaults().by(commands)).remove();
    }
    destroy(sets);
    if (hasDevice(serving)) {
      KubeProxyServers.removeDevice();
    }
    return leftovers(serving);
  }

  /**
   * Deletes the tables of a kube-proxy in its nftables mode. The kernel asks them and rules of
   * iptables in the order in which they came, so none of either can serve beside the other.
   *
   * @return what is still there
   */
  List<String> deleteNftTables() {
    nftTables.delete();
    return nftTables();
  }

  private List<String> nftTables() {
    return nftTables.names().stream().map(table -> "nftables: table " + table).toList();
  }

  /** Made by a kube-proxy in its iptables mode whenever it starts. */
  private static boolean isCanary(String left) {
    return left.contains("KUBE-PROXY-CANARY");
  }

  /** Hands over what a kube-proxy in its ipvs mode left to ip_vs, as far as that is possible. */
  DrainState drain(LinuxDataplane serving) {
    return hasDevice(serving)
        ? new KubeProxyServers(IpvsOptions.defaults().by(commands)).drain()
        : DrainState.carrying(0);
  }

  /** Lets packets go on that an agent held when it was killed. */
  void letGo() {
    IpvsDataplane.letGo(IpvsOptions.defaults().by(commands));
  }

  /**
   * Hands over the flows of ip_vs while kube-proxy may still be there, where the dataplane that
   * takes new flows has answers come from the endpoint itself: ip_vs would take them for those of
   * flows that it remembers.
   */
  void handOverAfter(Runnable takeOver, LinuxDataplane taking) {
    switch (taking) {
      case BPF -> new KubeProxyServers(IpvsOptions.defaults().by(commands)).handOverAfter(takeOver);
      case IPTABLES, IPVS, NFTABLES -> takeOver.run();
    }
  }

  /** What is left of kube-proxy in the kernel that the dataplane does not use, in words. */
  List<String> leftovers(LinuxDataplane serving) {
    List<String> found = ChainSearch.find(commands, chainsOfOthers(serving));
    found.addAll(nftTables());
    ipsets(serving).forEach(set -> found.add("ipset " + set));
    if (hasDevice(serving)) {
      found.add("device kube-ipvs0");
    }
    return found;
  }

  /** What is left of kube-proxy that none of these dataplanes uses, in words. */
  List<String> leftovers(Set<LinuxDataplane> ours) {
    // Of what those with kube-proxy's names leave over, the others use nothing.
    List<LinuxDataplane> telling = ours.stream().filter(Handover::sharesChains).toList();
    List<String> found = leftovers(telling.isEmpty() ? LinuxDataplane.BPF : telling.getFirst());
    telling.stream().skip(1).forEach(each -> found.retainAll(leftovers(each)));
    if (telling.contains(LinuxDataplane.IPTABLES)) {
      found.removeIf(KubeProxyCleaner::isCanary); // it takes kube-proxy's chains over without them
    }
    return found;
  }

  /** What is in the kernel of modes that a running kube-proxy is not in, in words. */
  List<String> leftovers(KubeProxyMode running) {
    return switch (running) {
      case IPTABLES -> {
        List<String> found = leftovers(LinuxDataplane.IPTABLES);
        found.removeIf(KubeProxyCleaner::isCanary);
        yield found;
      }
      case NFTABLES -> {
        List<String> found = leftovers(LinuxDataplane.NFTABLES);
        found.removeIf(each -> each.startsWith("nftables: "));
        yield found;
      }
      case IPVS -> {
        List<String> found = ChainSearch.find(commands, ChainRemoval.OF_IPTABLES_MODE);
        found.addAll(nftTables());
        yield found;
      }
    };
  }

  /**
   * How many rules, elements, members of sets and addresses {@link #clean} would take away; changes
   * nothing. Virtual servers are not among them.
   */
  long entries(LinuxDataplane serving) {
    long[] entries = {0};
    for (Iptables tool : ChainSearch.tools(commands)) {
      entries[0] += tables(tool, chainsOfOthers(serving)).rules();
    }
    entries[0] += nftTables.entries();
    Set<String> sets = Set.copyOf(ipsets(serving));
    if (!sets.isEmpty()) {
      commands.run(
          List.of("ipset", "save"), "", line -> entries[0] += isMember(line, sets) ? 1 : 0);
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

  private static ChainRemoval tables(Iptables tool, Map<String, Pattern> wanted) {
    ChainRemoval tables = new ChainRemoval(wanted);
    tool.save(tables::accept);
    return tables;
  }

  private static boolean isMember(String line, Set<String> sets) {
    String[] words = line.split(" ", 3);
    return words[0].equals("add") && words.length > 1 && sets.contains(words[1]);
  }

  private void destroy(List<String> sets) {
    if (!sets.isEmpty()) {
      String lines =
          sets.stream().map(set -> "destroy " + set + "\n").collect(Collectors.joining());
      commands.run(List.of("ipset", "restore"), lines, LOG::debug);
    }
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
