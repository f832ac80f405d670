// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServiceReader;
import io.pointsman.catalogue.SliceInput;
import io.pointsman.catalogue.SliceReader;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.RandomServices;
import io.pointsman.dataplane.iptables.IptablesDataplane;
import io.pointsman.dataplane.iptables.IptablesOptions;
import io.pointsman.kernel.Iptables.Variant;
import java.util.ArrayList;
import java.util.List;

/** Plays kube-proxy: its chains are written as it writes them, for every Service of the cluster. */
final class KubeProxyRules {
  private static final String STATE = "POINTSMAN-STATE";

  private KubeProxyRules() {}

  static void write(NodeFixture node) {
    Names names = new Names();
    ServiceReader services = new ServiceReader(names);
    SliceReader slices = new SliceReader(names);
    Catalogue catalogue = Catalogue.clusterWide();
    for (Service each : node.client.services().inAnyNamespace().list().getItems()) {
      catalogue.upsertService(services.read(each));
    }
    for (EndpointSlice each :
        node.client.discovery().v1().endpointSlices().inAnyNamespace().list().getItems()) {
      SliceInput input = slices.read(each);
      if (input != null) {
        catalogue.upsertSlice(input);
      }
    }
    List<ServicePort> ports = new ArrayList<>();
    catalogue.forEachPort(ports::add);
    node.sandbox.runInNamespace(
        () -> {
          try (IptablesDataplane rules =
              new IptablesDataplane(
                  IptablesOptions.defaults().in(Variant.NFT),
                  new DataplaneSettings(Scheduler.RANDOM, 30_000, 32_767))) {
            rules.prepare(RandomServices.desired(ports));
            rules.activate();
          }
        });
    // What tells that they are Pointsman's.
    for (String program : List.of("iptables-nft", "ip6tables-nft")) {
      node.commands().lines(program, "-t", "nat", "-F", STATE);
      node.commands().lines(program, "-t", "nat", "-X", STATE);
    }
  }
}
