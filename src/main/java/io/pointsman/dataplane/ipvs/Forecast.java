// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.Holdings;
import io.pointsman.dataplane.PlannedWrites;
import io.pointsman.dataplane.iptables.RuleMemory;
import io.pointsman.kernel.DummyDevice;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.RealServer;
import io.pointsman.kernel.RealServerInfo;
import io.pointsman.kernel.VirtualServer;
import java.net.InetAddress;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Counts virtual and real servers, members of sets, addresses of the device and rules by reading
 * them; writes nothing. Settings of the kernel and the device itself are no entries.
 *
 * <p>Memory is estimated as 1,024 bytes for each virtual and each real server (struct ip_vs_service
 * and struct ip_vs_dest with their per-CPU counters), 512 for each address of the device with its
 * local route, 64 for each member of a set, and what {@link RuleMemory} says for the rules.
 */
final class Forecast {
  private static final long SERVER_BYTES = 1_024;
  private static final long ADDRESS_BYTES = 512;
  private static final long MEMBER_BYTES = 64;

  private final IpvsOptions options;
  private final String scheduler;
  private long written;
  private long deleted;

  Forecast(IpvsOptions options, String scheduler) {
    this.options = options;
    this.scheduler = scheduler;
  }

  /** What is to be written so that the desired state is served. */
  PlannedWrites writes(DesiredState desired) {
    List<Rules> rules = RulePlaces.find(options);
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE);
        IpvsNetlink ipvs = Leaving.ipvs()) {
      Placement placement = Placement.read(options, device, desired.nodePortAddresses());
      IpSets.Read present = sets(rules).read();
      ServerTable table =
          ServerTable.read(
              ipvs,
              new Ownership(
                  options,
                  present,
                  device.addresses(),
                  Placement.takenOver(Note.parse(device.alias()), device),
                  Set.of()));
      VirtualServers chosen = new VirtualServers(ipvs, scheduler, options::excludes);
      chosen.choose(Session.served(desired.ports(), rules), placement, table.foreign()::contains);
      SetContents contents = new SetContents(options.excludeRanges());
      contents.reset(chosen.ports(), placement);
      Map<VirtualServer, List<Backend>> servers = new HashMap<>();
      for (ServicePort port : chosen.ports()) {
        placement.servers(port).forEach(server -> servers.put(server, port.backends()));
      }
      Set<InetAddress> addresses = contents.serviceAddresses();
      count(table, servers);
      count(addresses, device.addresses());
      count(contents.entries(), present.entries());
      rules.forEach(each -> written += each.missing());
      return new PlannedWrites(
          written, deleted, bytes(servers, addresses, contents.entries(), rules));
    }
  }

  private void count(ServerTable table, Map<VirtualServer, List<Backend>> wanted) {
    Map<VirtualServer, List<Backend>> missing = new HashMap<>(wanted);
    for (ServerTable.Row row : table.rows()) {
      List<Backend> backends = missing.remove(row.server());
      if (backends == null) {
        deleted += 1 + row.reals().size();
      } else {
        written += ServerWriter.matches(row.info(), scheduler) ? 0 : 1;
        count(row.reals(), backends);
      }
    }
    missing.values().forEach(backends -> written += 1 + backends.size());
  }

  private void count(List<RealServerInfo> reals, List<Backend> backends) {
    Set<RealServer> sound = new HashSet<>();
    Set<RealServer> leaving = new HashSet<>();
    for (RealServerInfo real : reals) {
      (ServerWriter.sound(real) ? sound : leaving).add(real.server());
    }
    for (Backend backend : backends) {
      RealServer real = Addresses.real(backend);
      leaving.remove(real);
      written += sound.remove(real) ? 0 : 1;
    }
    deleted += sound.size() + leaving.size();
  }

  private <T> void count(Set<T> wanted, Set<T> present) {
    written += wanted.stream().filter(each -> !present.contains(each)).count();
    deleted += present.stream().filter(each -> !wanted.contains(each)).count();
  }

  private static long bytes(
      Map<VirtualServer, List<Backend>> servers,
      Set<InetAddress> addresses,
      Set<SetEntry> members,
      List<Rules> rules) {
    long count = 0;
    for (List<Backend> backends : servers.values()) {
      count += 1 + backends.size();
    }
    long bytes =
        SERVER_BYTES * count + ADDRESS_BYTES * addresses.size() + MEMBER_BYTES * members.size();
    for (Rules each : rules) {
      bytes += RuleMemory.bytes(each.variant(), each.count());
    }
    return bytes;
  }

  /** What would be taken away, and the connections that may still be in use. */
  Holdings holdings() {
    if (Leaving.phase() == Phase.ABSENT) {
      return Holdings.NONE;
    }
    List<Rules> rules = RulePlaces.find(options);
    if (rules.stream().anyMatch(Rules::sharedWithKubeProxy)) {
      return Holdings.NONE; // a kube-proxy in its ipvs mode goes on with all of it
    }
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE);
        IpvsNetlink ipvs = Leaving.ipvs()) {
      IpSets.Read present = sets(rules).read();
      Ownership ownership = Leaving.ownership(options, present, device, Set.of());
      long entries = present.entries().size() + device.addresses().size();
      for (ServerTable.Row row : ServerTable.read(ipvs, ownership).rows()) {
        entries += 1 + row.reals().size();
      }
      for (Rules each : rules) {
        entries += each.removable();
      }
      return new Holdings(entries, FlowCounter.count(ownership::owns));
    }
  }

  private IpSets sets(List<Rules> rules) {
    List<IpFamily> families = new ArrayList<>();
    rules.forEach(each -> families.add(each.family()));
    if (!options.commands().has("ipset")) {
      throw new DataplaneException("ipset is not installed: use the image that is published", null);
    }
    return new IpSets(options.commands(), families);
  }
}
