// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static io.pointsman.catalogue.Objects.change;
import static io.pointsman.catalogue.Objects.ready;
import static io.pointsman.catalogue.Objects.service;
import static io.pointsman.catalogue.Objects.slice;
import static io.pointsman.catalogue.Rule.refused;
import static io.pointsman.catalogue.Rule.rule;

import io.fabric8.kubernetes.api.model.LoadBalancerIngressBuilder;
import io.fabric8.kubernetes.api.model.Service;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Where a Service can be reached: kube-proxy's rules, one row each. */
class FrontendRulesTest {
  @TestFactory
  Stream<DynamicTest> rules() {
    return Stream.of(addresses(), ignored(), conflicts()).flatMap(List::stream).map(Rule::test);
  }

  private static List<Rule> addresses() {
    return List.of(
        rule(
            "cluster addresses of both families take endpoints of their own",
            h ->
                h.add(service("web", "10.96.0.1", "fd00::1"))
                    .add(slice("web", "web-4", ready("10.244.0.5")))
                    .add(slice("web", "web-6", "IPv6", ready("fd01::5"))),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080*",
            "[fd00::1]:80/TCP default/web:http -> fd01::5:8080*"),
        rule(
            "external addresses and load balancer addresses are served, ipMode Proxy is not, and one"
                + " of another family neither",
            h ->
                h.add(
                        service(
                            "web",
                            "10.96.0.1",
                            s ->
                                s.editSpec()
                                    .withExternalIPs("192.0.2.1")
                                    .endSpec()
                                    .withNewStatus()
                                    .withNewLoadBalancer()
                                    .addToIngress(ingress("192.0.2.2", null))
                                    .addToIngress(ingress("192.0.2.3", "VIP"))
                                    .addToIngress(ingress("192.0.2.4", "Proxy"))
                                    .addNewIngress()
                                    .withHostname("lb.example")
                                    .endIngress()
                                    .addToIngress(ingress("2001:db8::1", "VIP"))
                                    .endLoadBalancer()
                                    .endStatus()))
                    .add(slice("web", "web-4", ready("10.244.0.5"))),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080*",
            "192.0.2.1:80/TCP default/web:http -> 10.244.0.5:8080*",
            "192.0.2.2:80/TCP default/web:http -> 10.244.0.5:8080*",
            "192.0.2.3:80/TCP default/web:http -> 10.244.0.5:8080*"),
        rule(
            "a port may be named by its own number, as kubectl create service does",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s -> s.editSpec().editFirstPort().withName("80").endPort().endSpec())),
            "10.96.0.1:80/TCP default/web:80 ->"),
        rule(
            "a node port stands once per family of the Service",
            h -> h.add(nodePort("web", 30080, "10.96.0.1", "fd00::1")),
            "10.96.0.1:80/TCP default/web:http ->",
            "[fd00::1]:80/TCP default/web:http ->",
            "node port 30080/TCP default/web:http ->",
            "node port 30080/TCP v6 default/web:http ->"),
        rule(
            "the same number for TCP and UDP are two ports",
            h ->
                h.add(
                    service(
                        "dns",
                        "10.96.0.10",
                        s ->
                            s.editSpec()
                                .addNewPort()
                                .withName("u")
                                .withPort(80)
                                .withProtocol("UDP")
                                .endPort()
                                .endSpec())),
            "10.96.0.10:80/TCP default/dns:http ->",
            "10.96.0.10:80/UDP default/dns:u ->"),
        rule(
            "an address that is named twice is served once",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s ->
                            s.editSpec()
                                .withExternalIPs("192.0.2.1", "192.0.2.1")
                                .endSpec()
                                .withNewStatus()
                                .withNewLoadBalancer()
                                .addToIngress(ingress("192.0.2.1", "VIP"))
                                .endLoadBalancer()
                                .endStatus())),
            "10.96.0.1:80/TCP default/web:http ->",
            "192.0.2.1:80/TCP default/web:http ->"));
  }

  private static List<Rule> ignored() {
    return List.of(
        rule("headless", h -> h.add(service("web", "None"))),
        rule("no cluster address", h -> h.add(service("web", ""))),
        rule(
            "ExternalName",
            h ->
                h.add(
                    service(
                        "web", "10.96.0.1", s -> s.editSpec().withType("ExternalName").endSpec()))),
        rule(
            "another proxy's",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s ->
                            s.editMetadata()
                                .addToLabels(ServiceReader.PROXY_NAME_LABEL, "x")
                                .endMetadata()))),
        rule(
            "labelled headless, but with a cluster address: only slices are told by that label",
            h ->
                h.add(
                        service(
                            "web",
                            "10.96.0.1",
                            s ->
                                s.editMetadata()
                                    .addToLabels(SliceReader.HEADLESS_LABEL, "")
                                    .endMetadata()))
                    .add(slice("web", "a", ready("10.244.0.5")))
                    .add(
                        change(
                            slice("web", "b", ready("10.244.0.6")),
                            s ->
                                s.editMetadata()
                                    .addToLabels(SliceReader.HEADLESS_LABEL, "")
                                    .endMetadata())),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080*"),
        rule(
            "slices that still say another proxy, of a Service that does no more",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(
                        change(
                            slice("web", "a", ready("10.244.0.5")),
                            s ->
                                s.editMetadata()
                                    .addToLabels(ServiceReader.PROXY_NAME_LABEL, "x")
                                    .endMetadata())),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080*"),
        rule(
            "a Service that becomes headless is taken out",
            h -> h.add(service("web", "10.96.0.1")).add(service("web", "None"))),
        rule(
            "slices of no Service",
            h ->
                h.add(
                    change(
                        slice("web", "a", ready("10.244.0.5")),
                        s -> s.editMetadata().withLabels(null).endMetadata()))));
  }

  private static List<Rule> conflicts() {
    return List.of(
        refused(
            "the older Service gets an external address",
            h ->
                h.add(external("young", "10.96.0.1", "2026-01-02T00:00:00Z"))
                    .add(external("zold", "10.96.0.2", "2026-01-01T00:00:00Z")),
            List.of(
                "10.96.0.1:80/TCP default/young:http ->",
                "10.96.0.2:80/TCP default/zold:http ->",
                "192.0.2.1:80/TCP default/zold:http ->"),
            "Service default/young AddressTaken"),
        refused(
            "of the same age, the name decides",
            h ->
                h.add(external("b", "10.96.0.1", "2026-01-01T00:00:00Z"))
                    .add(external("a", "10.96.0.2", "2026-01-01T00:00:00Z")),
            List.of(
                "10.96.0.1:80/TCP default/b:http ->",
                "10.96.0.2:80/TCP default/a:http ->",
                "192.0.2.1:80/TCP default/a:http ->"),
            "Service default/b AddressTaken"),
        rule(
            "the younger gets it when the older leaves",
            h ->
                h.add(external("old", "10.96.0.1", "2026-01-01T00:00:00Z"))
                    .add(external("young", "10.96.0.2", "2026-01-02T00:00:00Z"))
                    .remove(external("old", "10.96.0.1", "2026-01-01T00:00:00Z")),
            "10.96.0.2:80/TCP default/young:http ->",
            "192.0.2.1:80/TCP default/young:http ->"),
        refused(
            "a ClusterIP cannot be taken by an older external address",
            h ->
                h.add(external("old", "10.96.0.1", "2026-01-01T00:00:00Z"))
                    .add(
                        service(
                            "owner",
                            "192.0.2.1",
                            s ->
                                s.editMetadata()
                                    .withCreationTimestamp("2026-01-03T00:00:00Z")
                                    .endMetadata())),
            List.of(
                "10.96.0.1:80/TCP default/old:http ->", "192.0.2.1:80/TCP default/owner:http ->"),
            "Service default/old AddressTaken"),
        refused(
            "node ports collide the same way",
            h -> h.add(nodePort("b", 30080, "10.96.0.1")).add(nodePort("a", 30080, "10.96.0.2")),
            List.of(
                "10.96.0.1:80/TCP default/b:http ->",
                "10.96.0.2:80/TCP default/a:http ->",
                "node port 30080/TCP default/a:http ->"),
            "Service default/b AddressTaken"));
  }

  private static io.fabric8.kubernetes.api.model.LoadBalancerIngress ingress(
      String ip, @Nullable String ipMode) {
    return new LoadBalancerIngressBuilder().withIp(ip).withIpMode(ipMode).build();
  }

  private static Service nodePort(String name, int nodePort, String... clusterIps) {
    Service service = service(name, clusterIps);
    service.getSpec().setType("NodePort");
    service.getSpec().getPorts().getFirst().setNodePort(nodePort);
    return service;
  }

  private static Service external(String name, String clusterIp, String created) {
    return service(
        name,
        clusterIp,
        s ->
            s.editMetadata()
                .withCreationTimestamp(created)
                .endMetadata()
                .editSpec()
                .withExternalIPs("192.0.2.1")
                .endSpec());
  }
}
