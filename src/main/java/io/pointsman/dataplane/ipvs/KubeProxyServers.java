// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.kernel.DeviceAddress;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads what a kube-proxy in its ipvs mode has in ip_vs and on its device, in the network namespace
 * of the thread that calls it. Pointsman's own virtual servers are nobody's but Pointsman's until a
 * kube-proxy has taken them over.
 */
public final class KubeProxyServers implements KubeProxySource {
  private final IpvsOptions options;
  private final DataplaneSettings settings;

  /** Takes what is at the excluded ranges, and nothing else, for somebody else's. */
  public KubeProxyServers(IpvsOptions options, DataplaneSettings settings) {
    this.options = options;
    this.settings = settings;
  }

  @Override
  public List<KubeProxyState> read() {
    Set<Address> nodeAddresses = new HashSet<>();
    Set<Address> virtualAddresses = new HashSet<>();
    if (!readAddresses(nodeAddresses, virtualAddresses)) {
      return List.of();
    }
    // While Pointsman's own are there, a kube-proxy's are only those that it has taken over.
    Set<IpFamily> families =
        Leaving.phase() == Phase.ABSENT
            ? EnumSet.allOf(IpFamily.class)
            : new Leaving(options, settings).handedOver();
    if (families.isEmpty()) {
      return List.of();
    }
    KernelState servers = IpvsDataplane.readServers(options, settings, nodeAddresses);
    List<KubeProxyFrontend> frontends = new ArrayList<>();
    servers.forEach(
        (address, port, protocol, backends) -> {
          if (!families.contains(address.family())) {
            return;
          }
          boolean here =
              address.isAny()
                  || virtualAddresses.contains(address)
                  || nodeAddresses.contains(address);
          List<String> flaws =
              here ? List.of() : List.of(address + " is not on " + IpvsDataplane.DEVICE);
          frontends.add(
              new KubeProxyFrontend(
                  address, port, protocol, "", backends.isEmpty(), backends, backends, flaws));
        });
    return List.of(
        new KubeProxyState(KubeProxyMode.IPVS, "ip_vs", frontends, List.of(), List.of()));
  }

  /** Deletes the virtual servers of a kube-proxy that has left its device behind. */
  public void remove() {
    Set<Address> nodeAddresses = new HashSet<>();
    if (readAddresses(nodeAddresses, new HashSet<>())) {
      new Leaving(options, settings).removeServers(nodeAddresses);
    }
  }

  /** How many connections of ip_vs somebody may still be using, whoever made the servers. */
  public static long connections() {
    return FlowCounter.count(server -> true);
  }

  /** Whether kube-proxy's device is there; only then something of it can be. */
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
