// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.ipvs.IpvsKernelState.Place;
import io.pointsman.dataplane.ipvs.ServerTable.Row;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.kernel.RealServer;
import io.pointsman.kernel.RealServerInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Puts a kube-proxy's virtual servers together: those of one node port are one frontend. */
final class KubeProxyReading {
  private final Set<Address> ofNode;
  private final Set<Address> ofDevice;
  private final Set<String> inSets = new HashSet<>();
  private final Map<Place, List<Row>> places = new LinkedHashMap<>();
  private final Map<IpFamily, Set<Address>> nodePortAddresses = new HashMap<>();

  /**
   * From what was read.
   *
   * @param entries of the sets
   */
  KubeProxyReading(
      Set<Address> ofNode, Set<Address> ofDevice, Set<SetEntry> entries, List<Row> rows) {
    this.ofNode = ofNode;
    this.ofDevice = ofDevice;
    for (SetEntry entry : entries) {
      if (entry.set().holdsFrontends()) {
        inSets.add(entry.text());
      }
    }
    for (Row row : rows) {
      for (Place place : Place.of(row)) {
        places.computeIfAbsent(place, it -> new ArrayList<>(1)).add(row);
      }
    }
    for (IpFamily family : IpFamily.values()) {
      nodePortAddresses.put(family, nodePortAddresses(family));
    }
  }

  /**
   * Where the node ports of a family are, by themselves: which of the node's addresses kube-proxy
   * was told to take is not in the kernel. One that few of them are at is another's.
   */
  private Set<Address> nodePortAddresses(IpFamily family) {
    Map<Address, Integer> counts = new HashMap<>();
    int ports = 0;
    for (Map.Entry<Place, List<Row>> entry : places.entrySet()) {
      Address address = entry.getKey().address();
      if (address.isAny() && address.family() == family) {
        ports++;
        entry.getValue().forEach(row -> counts.merge(address(row), 1, Integer::sum));
      }
    }
    Set<Address> common = new TreeSet<>();
    for (Map.Entry<Address, Integer> entry : counts.entrySet()) {
      if (2 * entry.getValue() >= ports && ofNode.contains(entry.getKey())) {
        common.add(entry.getKey());
      }
    }
    return common;
  }

  List<KubeProxyFrontend> frontends() {
    List<KubeProxyFrontend> frontends = new ArrayList<>(places.size());
    places.forEach((place, rows) -> frontends.add(frontend(place, rows)));
    return frontends;
  }

  private KubeProxyFrontend frontend(Place place, List<Row> rows) {
    List<String> flaws = new ArrayList<>();
    if (place.address().isAny()) {
      checkNodePort(place, rows, flaws);
    } else {
      checkAddress(place, flaws);
    }
    rows.forEach(row -> checkReals(row, flaws));
    List<BackendAddress> backends = new ArrayList<>();
    for (RealServer real : IpvsKernelState.serving(rows.getFirst())) {
      backends.add(new BackendAddress(Address.of(real.address()), real.port()));
    }
    return new KubeProxyFrontend(
        place.address(),
        place.port(),
        place.protocol(),
        "",
        backends.isEmpty(),
        backends,
        backends,
        flaws);
  }

  private void checkAddress(Place place, List<String> flaws) {
    Address address = place.address();
    if (!ofDevice.contains(address) && !ofNode.contains(address)) {
      flaws.add(address + " is not on " + IpvsDataplane.DEVICE);
    }
    boolean inSet =
        Protocol.of(place.protocol())
            .map(protocol -> SetEntry.place(address, protocol, place.port()))
            .filter(inSets::contains)
            .isPresent();
    if (!inSet) {
      flaws.add("port " + place.port() + " of " + address + " is in no set of kube-proxy");
    }
  }

  /** Every node port has to be at the same of the node's addresses, with the same behind it. */
  private void checkNodePort(Place place, List<Row> rows, List<String> flaws) {
    Set<Address> lacking = new TreeSet<>(nodePortAddresses.get(place.address().family()));
    Set<RealServer> first = new HashSet<>(IpvsKernelState.serving(rows.getFirst()));
    for (Row row : rows) {
      lacking.remove(address(row));
      if (!first.equals(new HashSet<>(IpvsKernelState.serving(row)))) {
        flaws.add("the virtual server " + row.server() + " has other endpoints than its twins");
      }
    }
    for (Address address : lacking) {
      flaws.add("node port " + place.port() + " is not at " + address + ", as others are");
    }
  }

  private static void checkReals(Row row, List<String> flaws) {
    Set<Integer> weights = new HashSet<>();
    for (RealServerInfo real : row.reals()) {
      if (real.weight() != 0) {
        weights.add(real.weight());
        if (real.forwarding() != RealServerInfo.MASQUERADE) {
          flaws.add(
              "the real server "
                  + real.server()
                  + " of virtual server "
                  + row.server()
                  + " is not reached by translation");
        }
      }
    }
    if (weights.size() > 1) {
      flaws.add(
          "the virtual server " + row.server() + " does not give every endpoint the same share");
    }
  }

  private static Address address(Row row) {
    return Address.of(row.server().address());
  }
}
