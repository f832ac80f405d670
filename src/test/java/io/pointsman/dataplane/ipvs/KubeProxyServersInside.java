// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.Target;
import io.pointsman.catalogue.TrafficPolicy;
import io.pointsman.dataplane.NumberedServices;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.testing.Project;
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

  /** What the kube-proxy of {@link #beKubeProxy} serves. */
  private static final List<ServicePort> SERVED =
      List.of(
          Services.port(1, NumberedServices.backends(1, 2)),
          Services.port(3, NumberedServices.backends(4, 3)),
          Services.port(6, List.of()),
          Services.service(
              "external",
              Protocol.TCP,
              List.of(external("203.0.113.50"), external("203.0.113.51")),
              NumberedServices.backend(12)));

  private static Frontend external(String address) {
    return new Frontend(Address.parse(address), 8080, Protocol.TCP, FrontendKind.EXTERNAL_IP);
  }

  /**
   * Something that is done behind kube-proxy's back.
   *
   * @param text what is said of it
   */
  private record Break(String script, Difference.Kind kind, String text) {
    static final List<Break> ALL =
        List.of(
            rule("-D PREROUTING 1", "IPv4: nat PREROUTING lacks the jump to KUBE-SERVICES."),
            rule("-D OUTPUT 1", "IPv4: nat OUTPUT lacks the jump to KUBE-SERVICES."),
            rule("-D POSTROUTING 1", "IPv4: nat POSTROUTING lacks the jump to KUBE-POSTROUTING."),
            rule("-F KUBE-MARK-MASQ", "IPv4: nat KUBE-MARK-MASQ marks nothing to be masqueraded."),
            rule("-D KUBE-POSTROUTING 4", "IPv4: nat KUBE-POSTROUTING masquerades nothing."),
            rule(
                "-D KUBE-POSTROUTING 1",
                "IPv4: nat KUBE-POSTROUTING sends nothing of KUBE-LOOP-BACK to MASQUERADE."),
            rule(
                "-D KUBE-SERVICES 2",
                "IPv4: nat KUBE-SERVICES sends nothing of KUBE-CLUSTER-IP to KUBE-MARK-MASQ."),
            rule(
                "-F KUBE-NODE-PORT",
                "IPv4: nat KUBE-NODE-PORT sends nothing of KUBE-NODE-PORT-TCP to KUBE-MARK-MASQ."),
            rule(
                "-D KUBE-SERVICES -m addrtype --dst-type LOCAL -j KUBE-NODE-PORT",
                "IPv4: nat KUBE-SERVICES lacks the jump to KUBE-NODE-PORT."),
            rule(
                "-I KUBE-SERVICES -j RETURN",
                "IPv4: nat KUBE-SERVICES ends at a foreign rule, '-j RETURN', before"
                    + " kube-proxy's."),
            new Break(
                "iptables-legacy -t filter -D FORWARD 1",
                Difference.Kind.BROKEN,
                "IPv4: filter FORWARD lacks the jump to KUBE-FORWARD."),
            new Break(
                "iptables-legacy -t nat -I KUBE-SERVICES -s 10.1.2.3 -j RETURN",
                Difference.Kind.FOREIGN,
                "IPv4: nat KUBE-SERVICES has a foreign rule, '-s 10.1.2.3/32 -j RETURN'."),
            new Break(
                "ipset flush KUBE-LOOP-BACK",
                Difference.Kind.BROKEN,
                "IPv4: the set KUBE-LOOP-BACK is empty."),
            new Break(
                "ipset del KUBE-CLUSTER-IP 10.96.0.1,tcp:80",
                Difference.Kind.BROKEN,
                "default/service-1: port 80 of 10.96.0.1 is in no set of kube-proxy."),
            new Break(
                "ipset del KUBE-EXTERNAL-IP-LOCAL 203.0.113.50,tcp:8080",
                Difference.Kind.BROKEN,
                "default/external: port 8080 of 203.0.113.50 is in no set of kube-proxy."),
            new Break(
                "ipset del KUBE-NODE-PORT-TCP 30003",
                Difference.Kind.MISSING,
                "default/service-3: IPv4 node port 30003/TCP is missing."),
            new Break(
                "ipvsadm -D -t 198.51.100.8:30003",
                Difference.Kind.BROKEN,
                "default/service-3: node port 30003 is not at 198.51.100.8, as others are."),
            new Break(
                "ipvsadm -d -t 198.51.100.8:30003 -r 10.244.0.5:8080",
                Difference.Kind.BROKEN,
                "default/service-3: the virtual server TCP 198.51.100.8:30003 has other endpoints"
                    + " than its twins."),
            new Break(
                "ipvsadm -e -t 10.96.0.1:80 -r 10.244.0.1:8080 -m -w 3",
                Difference.Kind.BROKEN,
                "default/service-1: the virtual server TCP 10.96.0.1:80 does not give every"
                    + " endpoint the same share."),
            new Break(
                "ipvsadm -e -t 203.0.113.50:8080 -r 10.244.0.12:8080 -g",
                Difference.Kind.BROKEN,
                "default/external: the real server 10.244.0.12:8080 of virtual server TCP"
                    + " 203.0.113.50:8080 is not reached by translation."),
            new Break(
                "ipvsadm -A -t 10.96.0.1:99 -s rr",
                Difference.Kind.STALE,
                "10.96.0.1:99/TCP is served, but there is no such Service port."));

    private static Break rule(String change, String text) {
      return new Break("iptables-legacy -t nat " + change, Difference.Kind.BROKEN, text);
    }
  }

  @Test
  void whatIsThereIsFoundServedAndWhatIsNotIsNamed() {
    assertThat(read()).isEmpty();
    run(
        () -> {
          dataplane.prepare(Services.desired(ports));
          dataplane.activate();
        });
    assertThat(read()).as("Pointsman's own, and no kube-proxy").isEmpty();
    shell("iptables-legacy", "-N", "KUBE-NODE-PORT");
    assertThat(read()).as("a kube-proxy has begun").isEmpty();
    shell("ip6tables-legacy", "-N", "KUBE-NODE-PORT");
    shell("ip6tables-legacy", "-A", "KUBE-NODE-PORT", "-j", "ACCEPT");
    assertThat(read())
        .as("a kube-proxy has come, for IPv6 first")
        .singleElement()
        .satisfies(state -> assertThat(state.frontends()).isEmpty());
    assertThat(verify().differences()).isNotEmpty();
    shell("iptables-legacy", "-A", "KUBE-NODE-PORT", "-j", "ACCEPT");
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
    beKubeProxy();
    assertThat(verify(SERVED).differences()).isEmpty();
    shell("ipvsadm", "-d", "-t", "10.96.0.1:80", "-r", "10.244.0.2:8080");
    assertThat(verify(SERVED).differences())
        .extracting(Difference::text)
        .containsExactly("default/service-1: 10.96.0.1:80/TCP lacks the endpoint 10.244.0.2:8080.");
  }

  /** With everything else whole, each is named and nothing else is. */
  @Test
  void whatIsBrokenAroundVirtualServersIsNamed() {
    assertThat(Break.ALL).extracting(Break::kind).contains(Difference.Kind.values());
    beKubeProxy();
    for (Break each : Break.ALL) {
      shell("sh", "-ec", each.script());
      assertThat(verify(SERVED).differences())
          .as(each.script())
          .extracting(Difference::kind, Difference::text)
          .containsExactly(tuple(each.kind(), each.text()));
      beKubeProxy();
      assertThat(verify(SERVED).differences()).as("after " + each.script()).isEmpty();
    }
  }

  /** Settings of kube-proxy under which its rules are others, and as right. */
  @Test
  void everySettingOfKubeProxyIsWhole() {
    beKubeProxy();
    for (String script :
        List.of(
            // masqueradeAll
            "iptables-legacy -t nat -R KUBE-SERVICES 2 -m set --match-set KUBE-CLUSTER-IP dst,dst"
                + " -j KUBE-MARK-MASQ",
            // no range of pods is known
            "iptables-legacy -t nat -R KUBE-SERVICES 2 -m set --match-set KUBE-CLUSTER-IP src,dst"
                + " -j KUBE-MARK-MASQ",
            // detectLocalMode: BridgeInterface
            "iptables-legacy -t nat -R KUBE-SERVICES 2 ! -i cni0 -m set --match-set"
                + " KUBE-CLUSTER-IP dst,dst -j KUBE-MARK-MASQ",
            // masqueradeBit: 15
            "iptables-legacy -t nat -R KUBE-POSTROUTING 2 -m mark ! --mark 0x8000/0x8000 -j RETURN;"
                + " iptables-legacy -t nat -R KUBE-MARK-MASQ 1 -j MARK --or-mark 0x8000",
            // no pod of a Service is on the node
            "iptables-legacy -t nat -D KUBE-POSTROUTING 1; ipset flush KUBE-LOOP-BACK",
            // nodePortAddresses: 198.51.100.7/32
            "ipvsadm -D -t 198.51.100.8:30003; ipvsadm -D -t 198.51.100.8:30006")) {
      shell("sh", "-ec", script);
      assertThat(verify(SERVED).differences()).as(script).isEmpty();
      beKubeProxy();
    }
  }

  /** Writes all of it again. */
  private void beKubeProxy() {
    shell("sh", "-ec", Project.read("src/test/resources/verify/kube-proxy-ipvs.sh"));
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
