// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static io.pointsman.dataplane.ipvs.Services.desired;
import static io.pointsman.dataplane.ipvs.Services.frontend;
import static io.pointsman.dataplane.ipvs.Services.service;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.ipvs.NamedServers.Connection;
import io.pointsman.kernel.KernelSandbox;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A node with pods behind it and a client before it, in both families. */
class IpvsNetworkFixture extends IpvsFixture {
  static final List<String> PODS_V4 = List.of("10.244.0.10", "10.244.0.11", "10.244.0.12");
  static final List<String> PODS_V6 = List.of("fd00:244::10", "fd00:244::11", "fd00:244::12");
  static final String VIP_V4 = "10.96.0.10";
  static final String VIP_V6 = "fd00:10:96::a";
  static final String EXTERNAL = "203.0.113.5";
  static final Duration PATIENCE = Duration.ofSeconds(60);

  final KernelSandbox client = new KernelSandbox();
  final KernelSandbox pods = new KernelSandbox();
  NamedServers servers = new NamedServers(pods, List.of());

  @BeforeEach
  void connect() {
    // A start of a program takes long in User-Mode Linux.
    node.ipBatch(
        """
        link set outside netns %s
        link add cni0 type veth peer name eth0 netns %s
        link set cni0 up
        addr add 10.244.0.1/24 dev cni0
        addr add fd00:244::1/64 dev cni0 nodad
        """
            .formatted(client.namespace(), pods.namespace()));
    client.ipBatch(
        """
        link set outside up
        addr add 198.51.100.1/24 dev outside
        addr add 2001:db8:7::1/64 dev outside nodad
        route add default via 198.51.100.7
        route add default via 2001:db8:7::7
        """);
    pods.ipBatch(
        """
        link set eth0 up
        %s%sroute add default via 10.244.0.1
        route add default via fd00:244::1
        """
            .formatted(
                lines(PODS_V4, "addr add %s/24 dev eth0\n"),
                lines(PODS_V6, "addr add %s/64 dev eth0 nodad\n")));
    shell("sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1");
    List<String> all = new ArrayList<>(PODS_V4);
    all.addAll(PODS_V6);
    servers = new NamedServers(pods, all);
  }

  private static String lines(List<String> pods, String line) {
    return pods.stream().map(line::formatted).collect(Collectors.joining());
  }

  @AfterEach
  void disconnect() {
    servers.close();
    pods.close();
    client.close();
  }

  final void activate(ServicePort... ports) {
    here(() -> dataplane.prepare(desired(List.of(ports))));
    run(dataplane::activate);
    assertProven(desired(List.of(ports)));
  }

  final Connection connectTo(String pod) throws IOException {
    for (int i = 0; i < 12; i++) {
      Connection connection = new Connection(client, VIP_V4, 80);
      if (connection.ask("who").getFirst().equals(pod)) {
        return connection;
      }
      connection.close();
    }
    throw new AssertionError("no connection went to " + pod);
  }

  static List<String> pods(String vip) {
    return vip.equals(VIP_V4) ? PODS_V4 : PODS_V6;
  }

  static ServicePort web(Protocol protocol, int count) {
    return service(
        "web",
        protocol,
        List.of(
            frontend(VIP_V4, 80, protocol, FrontendKind.CLUSTER_IP),
            frontend("0.0.0.0", 30_080, protocol, FrontendKind.NODE_PORT)),
        backends(PODS_V4, count));
  }

  static ServicePort web6(Protocol protocol) {
    return service(
        "web6",
        protocol,
        List.of(
            frontend(VIP_V6, 80, protocol, FrontendKind.CLUSTER_IP),
            frontend("::", 30_080, protocol, FrontendKind.NODE_PORT)),
        backends(PODS_V6, 3));
  }

  static Backend[] backends(List<String> pods, int count) {
    return pods.stream()
        .limit(count)
        .map(pod -> new Backend(Address.parse(pod), NamedServers.PORT, true))
        .toArray(Backend[]::new);
  }
}
