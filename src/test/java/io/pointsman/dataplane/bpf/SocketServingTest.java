// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static io.pointsman.dataplane.NumberedServices.clusterIp;
import static io.pointsman.dataplane.NumberedServices.id;
import static io.pointsman.dataplane.NumberedServices.nodePort;
import static io.pointsman.dataplane.bpf.Services.desired;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import io.pointsman.kernel.Commands;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A process in the dataplane's cgroup connects to a Service and reaches its backend. */
class SocketServingTest extends BpfDataplaneFixture {
  private static final String GREETING = "served";

  SocketServingTest() {
    super(true);
  }

  @Test
  void servesASocketFromActivationToDraining() throws Exception {
    Backend backend = new Backend(Address.parse("198.51.100.7"), 8080, true);
    ServicePort served =
        new ServicePort(id(1), List.of(clusterIp(1), nodePort(30_001)), List.of(backend));
    try (ServerSocket server = here(() -> listen(backend))) {
      Thread greeter = new Thread(() -> greet(server));
      greeter.start();
      here(() -> dataplane.prepare(desired(List.of(served))));
      assertThatThrownBy(() -> get("10.96.0.1", 80)).hasMessageContaining("unreachable");
      dataplane.activate();
      assertThat(get("10.96.0.1", 80)).isEqualTo(GREETING);
      assertThat(get("198.51.100.7", 30_001)).isEqualTo(GREETING);
      assertThat(get("127.0.0.1", 30_001)).isEqualTo(GREETING);
      assertThat(dataplane.counters()).containsEntry(Counter.SOCKET_CONNECT, 3L);
      ServicePort empty = new ServicePort(id(1), served.frontends(), List.of());
      here(() -> dataplane.apply(new Delta(List.of(new Change(served, empty)), List.of())));
      assertThatThrownBy(() -> get("10.96.0.1", 80)).hasMessageContaining("refused");
      here(() -> dataplane.apply(new Delta(List.of(new Change(empty, served)), List.of())));
      assertThat(get("10.96.0.1", 80)).isEqualTo(GREETING);
      dataplane.close();
      assertThat(get("10.96.0.1", 80)).as("without an agent").isEqualTo(GREETING);
      assertThat(dataplane.drain().drained()).isTrue();
      assertThatThrownBy(() -> get("10.96.0.1", 80)).hasMessageContaining("unreachable");
    }
  }

  private static ServerSocket listen(Backend backend) throws IOException {
    ServerSocket server = new ServerSocket();
    InetAddress address = InetAddress.ofLiteral(backend.address().toString());
    server.bind(new InetSocketAddress(address, backend.port()));
    return server;
  }

  private static void greet(ServerSocket server) {
    try {
      while (true) {
        try (Socket client = server.accept()) {
          client.getOutputStream().write(GREETING.getBytes(StandardCharsets.US_ASCII));
        }
      }
    } catch (IOException e) {
      assertThat(server.isClosed()).isTrue();
    }
  }

  /** What a process in the cgroup and the namespace reads from an address. */
  private String get(String address, int port) {
    String client = "exec 3<>/dev/tcp/%s/%d; cat <&3".formatted(address, port);
    String enter =
        "echo $$ > %s/cgroup.procs; exec ip netns exec %s bash -c '%s'"
            .formatted(sandbox.cgroup(), sandbox.namespace(), client);
    return Commands.run("bash", "-c", enter);
  }
}
