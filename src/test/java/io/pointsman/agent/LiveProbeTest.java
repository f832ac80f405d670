// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.pointsman.agent.LiveProbe.Target;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LiveProbeTest {
  private static final Address LOOPBACK = Address.parse("127.0.0.1");

  private HttpServer server;
  private volatile String answer = "node-1";
  private volatile int status = 200;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.ofLiteral("127.0.0.1"), 0), 0);
    server.createContext(
        LiveProbe.PATH,
        exchange -> {
          byte[] body = answer.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  @Test
  void aKnownNodeIsTheRightAnswer() {
    assertThat(LiveProbe.failure(List.of(target()), Set.of("node-1", "node-2"))).isNull();
  }

  @Test
  void anyOtherContentFails() {
    answer = "<html>captive portal</html>";
    assertThat(LiveProbe.failure(List.of(target()), Set.of("node-1")))
        .contains("answered \"<html>captive portal</html>\"");
  }

  @Test
  void anErrorFails() {
    status = 503;
    assertThat(LiveProbe.failure(List.of(target()), Set.of("node-1"))).contains("503");
  }

  @Test
  void everyTargetMustAnswer() throws IOException {
    int port;
    try (var free = new java.net.ServerSocket(0, 1, InetAddress.ofLiteral("127.0.0.1"))) {
      port = free.getLocalPort();
    }
    Target closed = new Target(LOOPBACK, port);
    assertThat(LiveProbe.failure(List.of(target(), closed), Set.of("node-1")))
        .startsWith("127.0.0.1:" + port + " did not answer");
  }

  @Test
  void clusterAddressesAndTheNodePortAreProbedInBothFamilies() {
    List<Target> targets =
        LiveProbe.targets(
            List.of(port("10.96.0.9", Address.ANY_V4), port("fd00::9", Address.ANY_V6)),
            Set.of(
                Address.parse("192.0.2.9"),
                Address.parse("192.0.2.8"),
                Address.parse("2001:db8::8")));
    assertThat(targets)
        .containsExactly(
            new Target(Address.parse("10.96.0.9"), 80),
            new Target(Address.parse("192.0.2.8"), 30080),
            new Target(Address.parse("fd00::9"), 80),
            new Target(Address.parse("2001:db8::8"), 30080));
  }

  private Target target() {
    return new Target(LOOPBACK, server.getAddress().getPort());
  }

  private static ServicePort port(String vip, Address any) {
    IpFamily family = any.family();
    return new ServicePort(
        new ServicePortId("pointsman", "pointsman-probe", "", Protocol.TCP, family),
        List.of(
            new Frontend(Address.parse(vip), 80, Protocol.TCP, FrontendKind.CLUSTER_IP),
            new Frontend(any, 30080, Protocol.TCP, FrontendKind.NODE_PORT)),
        List.of(new Backend(LOOPBACK, 10356, true)));
  }
}
