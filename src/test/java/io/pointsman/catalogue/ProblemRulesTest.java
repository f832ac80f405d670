// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static io.pointsman.catalogue.Objects.change;
import static io.pointsman.catalogue.Objects.ready;
import static io.pointsman.catalogue.Objects.service;
import static io.pointsman.catalogue.Objects.slice;
import static io.pointsman.catalogue.Rule.refused;
import static io.pointsman.catalogue.Rule.rule;

import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPortBuilder;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What cannot be served is named, and all else is served; one row each. */
class ProblemRulesTest {
  @TestFactory
  Stream<DynamicTest> rules() {
    return Stream.of(problems(), limitations()).flatMap(List::stream).map(Rule::test);
  }

  private static List<Rule> problems() {
    return List.of(
        refused(
            "SCTP is named, the rest of the Service served",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s ->
                            s.editSpec()
                                .addNewPort()
                                .withName("s")
                                .withPort(5000)
                                .withProtocol("SCTP")
                                .endPort()
                                .endSpec())),
            List.of("10.96.0.1:80/TCP default/web:http ->"),
            "Service default/web ProtocolNotServed"),
        refused(
            "a cluster address that does not parse",
            h -> h.add(service("web", "10.96.0.300")).add(service("api", "10.96.0.2")),
            List.of("10.96.0.2:80/TCP default/api:http ->"),
            "Service default/web AddressNotServed"),
        refused(
            "external addresses that nobody can reach",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s ->
                            s.editSpec()
                                .withExternalIPs("127.0.0.1", "0.0.0.0", "169.254.1.1", "x")
                                .endSpec())),
            List.of("10.96.0.1:80/TCP default/web:http ->"),
            "Service default/web AddressNotServed",
            "Service default/web AddressNotServed",
            "Service default/web AddressNotServed",
            "Service default/web AddressNotServed"),
        refused(
            "an external address of a family the Service does not have",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s -> s.editSpec().withExternalIPs("2001:db8::1").endSpec())),
            List.of("10.96.0.1:80/TCP default/web:http ->"),
            "Service default/web AddressFamilyNotServed"),
        rule(
            "a load balancer address of a family the Service does not have, which nobody can change",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s ->
                            s.withNewStatus()
                                .withNewLoadBalancer()
                                .addNewIngress()
                                .withIp("2001:db8::1")
                                .endIngress()
                                .endLoadBalancer()
                                .endStatus())),
            "10.96.0.1:80/TCP default/web:http ->"),
        refused(
            "endpoints that cannot be connected to",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(
                        slice(
                            "web",
                            "a",
                            ready("127.0.0.1"),
                            ready("0.0.0.0"),
                            ready("0.0.0.9"),
                            ready("224.0.0.1"),
                            ready("169.254.0.1"),
                            ready("fd00::1"),
                            ready("pod"),
                            ready("10.244.0.5"))),
            List.of("10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080*"),
            "EndpointSlice default/a EndpointNotServed",
            "EndpointSlice default/a EndpointNotServed",
            "EndpointSlice default/a EndpointNotServed",
            "EndpointSlice default/a EndpointNotServed",
            "EndpointSlice default/a EndpointNotServed",
            "EndpointSlice default/a EndpointNotServed",
            "EndpointSlice default/a EndpointNotServed"),
        refused(
            "IPv6 endpoints that cannot be connected to",
            h ->
                h.add(service("web", "fd00::1"))
                    .add(
                        slice(
                            "web",
                            "a",
                            "IPv6",
                            ready("::"),
                            ready("::1"),
                            ready("fe80::1"),
                            ready("ff02::1"),
                            ready("fd01::1"))),
            List.of("[fd00::1]:80/TCP default/web:http -> fd01::1:8080*"),
            "EndpointSlice default/a EndpointNotServed",
            "EndpointSlice default/a EndpointNotServed",
            "EndpointSlice default/a EndpointNotServed",
            "EndpointSlice default/a EndpointNotServed"),
        refused(
            "an FQDN slice",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(slice("web", "a", "FQDN", ready("web.example"))),
            List.of("10.96.0.1:80/TCP default/web:http ->"),
            "EndpointSlice default/a AddressTypeNotServed"),
        refused(
            "a port without a number",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(
                        change(
                            slice("web", "a", ready("10.244.0.5")),
                            s -> s.withPorts(new EndpointPortBuilder().withName("http").build()))),
            List.of("10.96.0.1:80/TCP default/web:http ->"),
            "EndpointSlice default/a PortNotServed"),
        refused(
            "a port number that two ports have",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s ->
                            s.editSpec()
                                .addNewPort()
                                .withName("b")
                                .withPort(80)
                                .endPort()
                                .endSpec())),
            List.of("10.96.0.1:80/TCP default/web:http ->"),
            "Service default/web DuplicatePort"),
        refused(
            "a port number out of range",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s ->
                            s.editSpec()
                                .addNewPort()
                                .withName("b")
                                .withPort(70000)
                                .endPort()
                                .endSpec())),
            List.of("10.96.0.1:80/TCP default/web:http ->"),
            "Service default/web PortNotServed"));
  }

  private static List<Rule> limitations() {
    return List.of(
        refused(
            "what is not honoured yet is served without it and named",
            h ->
                h.add(
                    service(
                        "web",
                        "10.96.0.1",
                        s ->
                            s.editSpec()
                                .withSessionAffinity("ClientIP")
                                .withExternalTrafficPolicy("Local")
                                .withHealthCheckNodePort(31000)
                                .withInternalTrafficPolicy("Local")
                                .withLoadBalancerSourceRanges("192.0.2.0/24")
                                .endSpec())),
            List.of("10.96.0.1:80/TCP default/web:http ->"),
            "Service default/web ExternalTrafficPolicyNotHonoured",
            "Service default/web HealthCheckNodePortNotServed",
            "Service default/web InternalTrafficPolicyNotHonoured",
            "Service default/web SessionAffinityNotHonoured",
            "Service default/web SourceRangesNotHonoured"),
        refused(
            "topology hints",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(
                        slice(
                            "web",
                            "a",
                            new EndpointBuilder(ready("10.244.0.5"))
                                .withNewHints()
                                .addNewForZone("z")
                                .endHints()
                                .build())),
            List.of("10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080*"),
            "EndpointSlice default/a TopologyHintsNotHonoured"));
  }
}
