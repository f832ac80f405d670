// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DrainState;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.DeviceAddress;
import io.pointsman.kernel.DummyDevice;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import io.pointsman.kernel.VirtualServer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Reads what a kube-proxy in its ipvs mode has in ip_vs and on its device, in the network namespace
 * of the thread that calls it. Pointsman's own virtual servers are nobody's but Pointsman's until a
 * kube-proxy has taken them over.
 */
public final class KubeProxyServers implements KubeProxySource {
  private final IpvsOptions options;

  /**
   * Takes what is at the excluded ranges for somebody else's, and what is neither at an address of
   * the device nor in kube-proxy's sets.
   */
  public KubeProxyServers(IpvsOptions options) {
    this.options = options;
  }

  @Override
  public List<KubeProxyState> read() {
    return hasDevice() ? read(KubeProxyRules.read(options.commands())) : List.of();
  }

  /** The same where somebody has just read the rules. */
  public List<KubeProxyState> read(KubeProxyRules rules) {
    Set<Address> nodeAddresses = new HashSet<>();
    Set<Address> virtualAddresses = new HashSet<>();
    if (!readAddresses(nodeAddresses, virtualAddresses)) {
      return List.of();
    }
    // While Pointsman's own are there, a kube-proxy's are only those that it has taken over.
    Phase phase = Leaving.phase();
    Set<IpFamily> families =
        phase == Phase.ABSENT ? EnumSet.allOf(IpFamily.class) : new Leaving(options).handedOver();
    if (families.isEmpty()) {
      return List.of();
    }
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE);
        IpvsNetlink ipvs = Leaving.ipvs()) {
      IpSets sets = new IpSets(options.commands(), List.of(IpFamily.values()));
      IpSets.Read present = sets.read();
      Set<SetEntry> all = new HashSet<>(present.entries());
      all.addAll(present.externalLocal());
      Ownership ownership = Leaving.ownership(options, present, device, nodeAddresses);
      List<ServerTable.Row> rows = new ArrayList<>(ServerTable.read(ipvs, ownership).rows());
      rows.removeIf(row -> !families.contains(Address.of(row.server().address()).family()));
      KubeProxyReading reading = new KubeProxyReading(nodeAddresses, virtualAddresses, all, rows);
      return List.of(state(reading.frontends(), rules, present.entries(), phase == Phase.ABSENT));
    } catch (KernelException | CommandException e) {
      throw new DataplaneException("read kube-proxy's virtual servers: " + e.getMessage(), e);
    }
  }

  /** With what is wrong in the rules of those families that something is served of. */
  private static KubeProxyState state(
      List<KubeProxyFrontend> frontends, KubeProxyRules rules, Set<SetEntry> entries, boolean own) {
    List<String> defects = new ArrayList<>();
    List<String> foreign = new ArrayList<>();
    for (IpFamily family : IpFamily.values()) {
      if (frontends.stream().anyMatch(each -> each.address().family() == family)) {
        KubeProxyChains.Found found = rules.find(family, entries, own);
        found.defects().forEach(each -> defects.add(family.text() + ": " + each + "."));
        found.foreign().forEach(each -> foreign.add(family.text() + ": " + each + "."));
      }
    }
    return new KubeProxyState(KubeProxyMode.IPVS, "ip_vs", frontends, defects, foreign);
  }

  /**
   * Hands over the flows of a kube-proxy that has left its device behind, and deletes the virtual
   * servers that none is left of.
   */
  public DrainState drain() {
    Set<Address> nodeAddresses = new HashSet<>();
    return readAddresses(nodeAddresses, new HashSet<>())
        ? new Leaving(options).drainServers(nodeAddresses)
        : DrainState.carrying(0);
  }

  /**
   * Hands over the flows of a kube-proxy that may still be there, whose virtual servers stay, once
   * another dataplane has taken new flows. What ip_vs remembers is thereby forgotten: it would take
   * answers to flows of BPF's for its own.
   *
   * @param takeOver makes the other take new flows; called once, also where there is no kube-proxy
   * @throws DataplaneException when some may not have been
   */
  public void handOverAfter(Runnable takeOver) {
    Set<Address> nodeAddresses = new HashSet<>();
    try {
      if (hasDevice()
          && readAddresses(nodeAddresses, new HashSet<>())
          && Leaving.phase() == Phase.ABSENT) {
        new Leaving(options).forgetAfter(takeOver, nodeAddresses);
      } else {
        takeOver.run();
      }
    } catch (KernelException | CommandException e) {
      throw new DataplaneException("hand over kube-proxy's flows: " + e.getMessage(), e);
    }
  }

  /**
   * Deletes the virtual servers of a kube-proxy that has left its device behind, or only its sets.
   */
  public void remove() {
    Set<Address> nodeAddresses = new HashSet<>();
    boolean unused = readAddresses(nodeAddresses, new HashSet<>());
    new Leaving(options).removeServers(nodeAddresses);
  }

  /** Whether there is the device of an ipvs mode; one of another kind is somebody else's. */
  public static boolean hasDevice() {
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE)) {
      return device.exists();
    } catch (KernelException e) {
      if (e.errno() == Errno.EEXIST) {
        return false;
      }
      throw new DataplaneException("look for kube-proxy's device: " + e.getMessage(), e);
    }
  }

  /** How many addresses of Services are on the device. */
  public static int addresses() {
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE)) {
      return device.addresses().size();
    } catch (KernelException e) {
      throw new DataplaneException("read kube-proxy's addresses: " + e.getMessage(), e);
    }
  }

  /** Deletes the device, with the addresses on it. */
  public static void removeDevice() {
    try (DummyDevice device = new DummyDevice(IpvsDataplane.DEVICE)) {
      device.delete();
    } catch (KernelException e) {
      throw new DataplaneException("delete kube-proxy's device: " + e.getMessage(), e);
    }
  }

  /** How many connections of ip_vs through these somebody may still be using. */
  public static long connections(List<KubeProxyFrontend> frontends) {
    return FlowCounter.count(of(frontends));
  }

  /** Those that serve one of these; a frontend of a node port is at every address of the node. */
  static Predicate<VirtualServer> of(List<KubeProxyFrontend> frontends) {
    Set<VirtualServer> servers = new HashSet<>();
    for (KubeProxyFrontend each : frontends) {
      servers.add(Addresses.virtual(each.address(), each.port(), each.protocol()));
    }
    return server -> {
      Address any = Placement.wildcard(server.isV6() ? IpFamily.IPV6 : IpFamily.IPV4);
      return servers.contains(server)
          || servers.contains(Addresses.virtual(any, server.port(), server.protocol()));
    };
  }

  /** Whether kube-proxy's device is there; only then something of it can serve. */
  private static boolean readAddresses(Set<Address> ofNode, Set<Address> ofDevice) {
    try (RtNetlink netlink = new RtNetlink()) {
      int index = -1;
      for (NetworkDevice device : netlink.devices()) {
        if (device.name().equals(IpvsDataplane.DEVICE)) {
          index = device.index();
        }
      }
      for (DeviceAddress each : netlink.addresses()) {
        Address address = Address.of(each.address());
        (each.index() == index ? ofDevice : ofNode).add(address);
      }
      return index >= 0;
    } catch (KernelException e) {
      throw new DataplaneException("read kube-proxy's addresses: " + e.getMessage(), e);
    }
  }
}
