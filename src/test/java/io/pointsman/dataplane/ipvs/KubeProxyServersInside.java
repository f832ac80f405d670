// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.Target;
import io.pointsman.catalogue.TrafficPolicy;
import io.pointsman.dataplane.NumberedServices;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.verify.kubeproxy.Difference;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import io.pointsman.verify.kubeproxy.KubeProxyVerifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Virtual servers as kube-proxy makes them, whole and broken. */
public class KubeProxyServersInside extends IpvsFixture {
  private final List<ServicePort> ports =
      List.of(
          Services.port(1, NumberedServices.backends(1, 2)),
          Services.port(3, NumberedServices.backends(4, 3)),
          Services.port(4, List.of()));

  @Test
  void whatIsThereIsFoundServedAndWhatIsNotIsNamed() {
    assertThat(read()).isEmpty();
    run(
        () -> {
          dataplane.prepare(Services.desired(ports));
          dataplane.activate();
        });
    assertThat(read()).as("Pointsman's own, and no kube-proxy").isEmpty();
    shell("ip6tables-legacy", "-N", "KUBE-NODE-PORT");
    assertThat(read())
        .as("a kube-proxy has come, for IPv6 first")
        .singleElement()
        .satisfies(state -> assertThat(state.frontends()).isEmpty());
    assertThat(verify().differences()).isNotEmpty();
    shell("iptables-legacy", "-N", "KUBE-NODE-PORT");
    KubeProxyVerdict whole = verify();
    assertThat(whole.mode()).contains(KubeProxyMode.IPVS);
    assertThat(whole.differences()).isEmpty();

    Frontend cluster = NumberedServices.clusterIp(1);
    shell("ip", "addr", "del", cluster.address() + "/32", "dev", IpvsDataplane.DEVICE);
    assertThat(verify().differences())
        .extracting(Difference::text)
        .containsExactly("default/service-1: " + cluster.address() + " is not on kube-ipvs0.");
    List<ServicePort> other =
        List.of(
            Services.port(1, NumberedServices.backends(1, 3)),
            Services.port(3, NumberedServices.backends(4, 2)),
            Services.port(4, List.of()),
            Services.port(5, NumberedServices.backends(9, 1)));
    assertThat(verify(other).differences())
        .extracting(Difference::kind)
        .contains(Difference.Kind.MISSING, Difference.Kind.STALE);
  }

  /** As kube-proxy leaves them when it makes them itself. */
  @Test
  void virtualServersOfKubeProxyAreRead() {
    for (String command :
        List.of(
            "ip link add kube-ipvs0 type dummy",
            "ip addr add 10.96.0.1/32 dev kube-ipvs0",
            "ip addr add 10.96.0.3/32 dev kube-ipvs0",
            "ipset create KUBE-CLUSTER-IP hash:ip,port",
            "ipset add KUBE-CLUSTER-IP 10.96.0.1,tcp:80",
            "ipset add KUBE-CLUSTER-IP 10.96.0.3,tcp:80",
            "ipset create KUBE-NODE-PORT-TCP bitmap:port range 0-65535",
            "ipset add KUBE-NODE-PORT-TCP 30003",
            "ipvsadm -A -t 10.96.0.1:80 -s rr",
            "ipvsadm -a -t 10.96.0.1:80 -r 10.244.0.1:8080 -m",
            "ipvsadm -a -t 10.96.0.1:80 -r 10.244.0.2:8080 -m",
            // One that leaves takes no new connections.
            "ipvsadm -a -t 10.96.0.1:80 -r 10.244.0.9:8080 -m -w 0",
            "ipvsadm -A -t 10.96.0.3:80 -s rr",
            "ipvsadm -A -t " + Services.NODE_V4 + ":30003 -s rr",
            // keepalived's
            "ipvsadm -A -t 203.0.113.9:80 -s rr")) {
      shell(command.split(" ", -1));
    }
    List<ServicePort> served =
        List.of(Services.port(1, NumberedServices.backends(1, 2)), Services.port(3, List.of()));
    assertThat(verify(served).differences()).isEmpty();
    shell("ipvsadm", "-d", "-t", "10.96.0.1:80", "-r", "10.244.0.2:8080");
    assertThat(verify(served).differences())
        .extracting(Difference::text)
        .containsExactly("default/service-1: 10.96.0.1:80/TCP lacks the endpoint 10.244.0.2:8080.");
  }

  @Test
  void onlyVirtualServersOfKubeProxyAreRemoved() {
    List<String> foreign =
        List.of(
            // keepalived's, one of them at an address of the node with a port that could be a
            // node's
            "-A -t " + Services.NODE_V4 + ":30100 -s wlc", "-A -t 203.0.113.9:80 -s wlc");
    for (String server : foreign) {
      shell(("ipvsadm " + server).split(" ", -1));
    }
    String before = shell("ipvsadm", "-Sn");
    for (String command :
        List.of(
            "ip link add kube-ipvs0 type dummy",
            "ip addr add 10.96.0.1/32 dev kube-ipvs0",
            "ipset create KUBE-NODE-PORT-TCP bitmap:port range 0-65535",
            "ipset add KUBE-NODE-PORT-TCP 20001",
            "ipset add KUBE-NODE-PORT-TCP 30003",
            "ipvsadm -A -t 10.96.0.1:80 -s rr",
            // The cluster's range of node ports is one of its own.
            "ipvsadm -A -t " + Services.NODE_V4 + ":20001 -s rr",
            "ipvsadm -A -t " + Services.NODE_V4 + ":30003 -s rr")) {
      shell(command.split(" ", -1));
    }
    assertThat(here(KubeProxyServers::hasDevice)).isTrue();
    assertThat(here(KubeProxyServers::addresses)).isOne();
    run(() -> new KubeProxyServers(options).remove());
    assertThat(shell("ipvsadm", "-Sn")).isEqualTo(before);
    run(KubeProxyServers::removeDevice);
    assertThat(here(KubeProxyServers::hasDevice)).isFalse();
    assertThat(shell("ip", "link")).doesNotContain("kube-ipvs0");
  }

  private KubeProxyVerdict verify() {
    return verify(ports);
  }

  private KubeProxyVerdict verify(List<ServicePort> wanted) {
    List<ExpectedPort> expected = new ArrayList<>();
    for (ServicePort port : wanted) {
      Set<Target> targets = new HashSet<>();
      for (Backend backend : port.backends()) {
        targets.add(new Target(backend.address(), backend.port()));
      }
      List<ExpectedPort.Place> places = new ArrayList<>();
      for (Frontend frontend : port.frontends()) {
        places.add(new ExpectedPort.Place(frontend, List.of(targets), Set.of(), false));
      }
      expected.add(new ExpectedPort(port.id(), TrafficPolicy.DEFAULT, places, false));
    }
    return new KubeProxyVerifier(expected, Set.of(Protocol.values())).verify(read());
  }

  private List<KubeProxyState> read() {
    return here(() -> new KubeProxyServers(options).read());
  }
}
