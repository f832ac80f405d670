// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static io.pointsman.catalogue.Objects.change;
import static io.pointsman.catalogue.Objects.endpoint;
import static io.pointsman.catalogue.Objects.ready;
import static io.pointsman.catalogue.Objects.service;
import static io.pointsman.catalogue.Objects.slice;
import static io.pointsman.catalogue.Rule.rule;

import io.fabric8.kubernetes.api.model.ServicePortBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPortBuilder;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Which endpoints a Service sends connections to: kube-proxy's rules, one row each. */
class EndpointRulesTest {
  @TestFactory
  Stream<DynamicTest> rules() {
    return Stream.of(endpoints()).flatMap(List::stream).map(Rule::test);
  }

  private static List<Rule> endpoints() {
    return List.of(
        rule(
            "named ports come from each slice",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(slice("web", "a", ready("10.244.0.5")))
                    .add(
                        change(
                            slice("web", "b", ready("10.244.0.6")),
                            s ->
                                s.withPorts(
                                    new EndpointPortBuilder()
                                        .withName("http")
                                        .withPort(9090)
                                        .build(),
                                    new EndpointPortBuilder()
                                        .withName("other")
                                        .withPort(1)
                                        .build()))),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080* 10.244.0.6:9090*"),
        rule(
            "a port without a name matches a slice port without one",
            h ->
                h.add(
                        service(
                            "web",
                            "10.96.0.1",
                            s ->
                                s.editSpec()
                                    .withPorts(new ServicePortBuilder().withPort(80).build())
                                    .endSpec()))
                    .add(
                        change(
                            slice("web", "a", ready("10.244.0.5")),
                            s -> s.withPorts(new EndpointPortBuilder().withPort(8080).build()))),
            "10.96.0.1:80/TCP default/web -> 10.244.0.5:8080*"),
        rule(
            "the protocol must match too",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(
                        change(
                            slice("web", "a", ready("10.244.0.5")),
                            s ->
                                s.withPorts(
                                    new EndpointPortBuilder()
                                        .withName("http")
                                        .withProtocol("UDP")
                                        .withPort(8080)
                                        .build()))),
            "10.96.0.1:80/TCP default/web:http ->"),
        rule(
            "endpoints of several slices are merged without duplicates",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(slice("web", "a", ready("10.244.0.5"), ready("10.244.0.6")))
                    .add(slice("web", "b", ready("10.244.0.6"), ready("10.244.0.7"))),
            "10.96.0.1:80/TCP default/web:http ->"
                + " 10.244.0.5:8080* 10.244.0.6:8080* 10.244.0.7:8080*"),
        rule(
            "an endpoint that one slice calls ready is ready",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(slice("web", "a", endpoint("10.244.0.5", false, true, true)))
                    .add(slice("web", "b", ready("10.244.0.5"))),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080*"),
        rule(
            "no conditions mean ready",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(
                        slice(
                            "web",
                            "a",
                            endpoint("10.244.0.5", null, null, null),
                            new EndpointBuilder().withAddresses("10.244.0.6").build())),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080* 10.244.0.6:8080"),
        rule(
            "while one is ready, terminating ones get nothing",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(
                        slice(
                            "web",
                            "a",
                            ready("10.244.0.5"),
                            endpoint("10.244.0.6", false, true, true),
                            endpoint("10.244.0.7", false, false, false))),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080*"),
        rule(
            "when none is ready, those that serve and terminate are used",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(
                        slice(
                            "web",
                            "a",
                            endpoint("10.244.0.6", false, true, true),
                            endpoint("10.244.0.7", false, null, true),
                            endpoint("10.244.0.8", false, false, true),
                            endpoint("10.244.0.9", false, true, false))),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.6:8080* 10.244.0.7:8080*"),
        rule(
            "local means on this node",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(
                        slice(
                            "web",
                            "a",
                            ready("10.244.0.5"),
                            new EndpointBuilder(ready("10.244.1.5"))
                                .withNodeName("node-2")
                                .build())),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080* 10.244.1.5:8080"),
        rule(
            "a slice may come before its Service",
            h -> h.add(slice("web", "a", ready("10.244.0.5"))).add(service("web", "10.96.0.1")),
            "10.96.0.1:80/TCP default/web:http -> 10.244.0.5:8080*"),
        rule(
            "a slice that moves to another Service leaves the first",
            h ->
                h.add(service("web", "10.96.0.1"))
                    .add(service("api", "10.96.0.2"))
                    .add(slice("web", "a", ready("10.244.0.5")))
                    .add(slice("api", "a", ready("10.244.0.5"))),
            "10.96.0.1:80/TCP default/web:http ->",
            "10.96.0.2:80/TCP default/api:http -> 10.244.0.5:8080*"),
        rule(
            "a removed slice takes its endpoints along, a removed Service everything",
            h -> {
              h.add(service("web", "10.96.0.1")).add(slice("web", "a", ready("10.244.0.5")));
              h.add(service("api", "10.96.0.2")).add(slice("api", "b", ready("10.244.0.6")));
              h.remove(slice("web", "a")).remove(service("api", "10.96.0.2"));
            },
            "10.96.0.1:80/TCP default/web:http ->"));
  }
}
