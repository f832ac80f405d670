// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.TCP;
import static io.pointsman.dataplane.bpf.packet.PacketBuilder.UDP;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real sockets of processes in a cgroup that has the socket programs. */
class SocketTest {
  private static final int REFUSED = 111;
  private static final int NOT_PERMITTED = 1;
  private static final List<String> VIPS = List.of("10.96.0.10", "fd00:96::10");

  private final SocketNode node = new SocketNode(SocketNode.canChooseError());

  @BeforeEach
  void serve() {
    for (String vip : VIPS) {
      boolean v4 = vip.contains(".");
      Endpoint one = Endpoint.of(v4 ? "10.244.1.1" : "fd00:244::1", 8080);
      Endpoint two = Endpoint.of(v4 ? "10.244.1.2" : "fd00:244::2", 8080);
      for (Endpoint backend : List.of(one, two)) {
        String name = backend.equals(one) ? "one" : "two";
        node.servers.named(backend.address().toString(), backend.port(), name);
        node.servers.namedDatagrams(backend.address().toString(), backend.port(), name);
      }
      for (int protocol : new int[] {TCP, UDP}) {
        int set = (v4 ? 10 : 20) + protocol;
        node.tables.service(Endpoint.of(vip, 80), protocol, set, 0, List.of(one, two));
        Endpoint any = new Endpoint(v4 ? Address.ANY_V4 : Address.ANY_V6, 30080);
        node.tables.frontend(any, protocol, set, 2, Structs.ROUND_ROBIN);
      }
    }
  }

  @AfterEach
  void close() {
    node.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.96.0.10", "fd00:96::10", "::ffff:10.96.0.10"})
  void connectsOverTcpInTurnAndNamesTheServiceAsItsPeer(String vip) {
    assertThat(
            node.python(
                """
                for i in range(4):
                    s = tcp("%s", 80)
                    print(name(s), peer(s))
                """,
                vip))
        .isEqualTo("one %1$s 80\ntwo %1$s 80\none %1$s 80\ntwo %1$s 80".formatted(vip));
    assertThat(node.tables.count(Counter.SOCKET_CONNECT)).isEqualTo(4);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.96.0.10", "fd00:96::10", "::ffff:10.96.0.10"})
  void connectsOverUdp(String vip) {
    assertThat(
            node.python(
                """
                for i in range(2):
                    s = udp("%1$s")
                    s.connect(("%1$s", 80))
                    for j in range(2):
                        s.send(b"x")
                        data, sender = s.recvfrom(100)
                        print(data.decode(), *sender[:2], peer(s))
                """,
                vip))
        .isEqualTo(
            """
            one %1$s 80 %1$s 80
            one %1$s 80 %1$s 80
            two %1$s 80 %1$s 80
            two %1$s 80 %1$s 80"""
                .formatted(vip));
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.96.0.10", "fd00:96::10", "::ffff:10.96.0.10"})
  void sendsAllDatagramsOfAnUnconnectedSocketToOneBackend(String vip) {
    assertThat(
            node.python(
                """
                for i in range(2):
                    s = udp("%1$s")
                    for j in range(3):
                        s.sendto(b"x", ("%1$s", 80))
                        data, sender = s.recvfrom(100)
                        print(data.decode(), *sender[:2])
                """,
                vip))
        .isEqualTo(("one %1$s 80\n".repeat(3) + "two %1$s 80\n".repeat(3)).formatted(vip).strip());
    assertThat(node.tables.count(Counter.SOCKET_SENDMSG)).isEqualTo(2);
  }

  /** A flow that conntrack has is told by its port: the socket's address is not known here. */
  @Test
  void leavesDatagramsOfAFlowOfTheStackAlone() {
    Endpoint vip = Endpoint.of("10.96.0.10", 80);
    Endpoint backend = Endpoint.of("10.244.1.1", 8080);
    node.sandbox.ip("addr", "add", "10.96.0.10/32", "dev", "lo");
    node.servers.namedDatagrams("10.96.0.10", 80, "stack");
    node.tables.connection(
        Structs.CT_SOCKET,
        UDP,
        Endpoint.of("::1", 40_000),
        vip,
        backend,
        Structs.CT_FORWARD | Structs.CT_STACK,
        100);
    String script =
        """
        for port in 40000, 40001:
            s = udp("10.96.0.10")
            s.bind(("", port))
            for i in range(2):
                s.sendto(b"x", ("10.96.0.10", 80))
                print(s.recv(100).decode(), end=" ")
        """;
    assertThat(node.python(script)).isEqualTo("stack stack one one");
    node.becomePod();
    assertThat(node.python(script)).as("that was the host's").isEqualTo("two two one one");
  }

  @Test
  void leavesABackendThatLeftTheService() throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder(
            node.command(
                """
                s = udp("10.96.0.10")
                for line in sys.stdin:
                    s.sendto(b"x", ("10.96.0.10", 80))
                    print(s.recv(100).decode(), flush=True)
                """));
    Process process = builder.start();
    try (var in = process.outputWriter();
        var out = process.inputReader()) {
      assertThat(next(in, out)).isEqualTo("one");
      Endpoint vip = Endpoint.of("10.96.0.10", 80);
      List<Endpoint> both =
          List.of(Endpoint.of("10.244.1.2", 8080), Endpoint.of("10.244.1.1", 8080));
      node.tables.service(vip, UDP, 91, 0, both);
      assertThat(next(in, out)).isEqualTo("one");
      node.tables.backends(92, 0, both);
      node.tables.terminating(vip, UDP, 92, 1, 1);
      assertThat(next(in, out)).as("it terminates and still serves").isEqualTo("one");
      node.tables.service(vip, UDP, 93, 0, both.subList(0, 1));
      assertThat(next(in, out)).isEqualTo("two");
      node.phase(Tables.DRAINING);
      assertThat(next(in, out)).as("a flow goes on while draining").isEqualTo("two");
    }
    assertThat(process.waitFor()).isZero();
  }

  private static String next(java.io.Writer in, java.io.BufferedReader out) throws Exception {
    in.write("\n");
    in.flush();
    return out.readLine();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "192.0.2.1",
        "127.0.0.1",
        "127.9.9.9",
        "2001:db8::1",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:192.0.2.1"
      })
  void findsNodePortsOnTheNodesAddressesAndItsLoopback(String address) {
    assertThat(node.python("s = tcp('%s', 30080); print(name(s), peer(s))", address))
        .isEqualTo("one " + address + " 30080");
    assertThat(
            node.python(
                """
                s = udp("%1$s")
                s.sendto(b"x", ("%1$s", 30080))
                data, sender = s.recvfrom(100)
                print(data.decode(), *sender[:2])
                """,
                address))
        .isEqualTo("one " + address + " 30080");
  }

  @Test
  void takesTheUnspecifiedAddressForLoopback() {
    assertThat(node.python("s = tcp('0.0.0.0', 30080); print(name(s), peer(s))"))
        .isEqualTo("one 127.0.0.1 30080");
    assertThat(node.python("s = tcp('::', 30080); print(name(s), peer(s))"))
        .isEqualTo("one ::1 30080");
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "::1", "0.0.0.0", "::"})
  void leavesThePodsOwnLoopbackAlone(String address) {
    node.becomePod();
    assertThat(node.python("print(refused(lambda: tcp('%s', 30080)))", address))
        .isEqualTo("" + REFUSED);
    node.servers.named(address.contains(":") ? "::1" : "127.0.0.1", 30080, "own");
    assertThat(node.python("print(name(tcp('%s', 30080)))", address)).isEqualTo("own");
    assertThat(node.python("print(name(tcp('192.0.2.1', 30080)))")).isEqualTo("one");
  }

  @Test
  void refusesWhatHasNoBackends() {
    assertRefusedWith(SocketNode.canChooseError() ? REFUSED : NOT_PERMITTED, node);
    try (SocketNode old = new SocketNode(false)) {
      assertRefusedWith(NOT_PERMITTED, old);
    }
  }

  private static void assertRefusedWith(int error, SocketNode node) {
    for (String vip : List.of("10.96.0.66", "fd00:96::66")) {
      for (int protocol : new int[] {TCP, UDP}) {
        node.tables.frontend(Endpoint.of(vip, 80), protocol, 1, 0, Structs.RANDOM);
      }
      assertThat(
              node.python(
                  """
                  print(refused(lambda: tcp("%1$s", 80)),
                        refused(lambda: udp("%1$s").connect(("%1$s", 80))),
                        refused(lambda: udp("%1$s").sendto(b"x", ("%1$s", 80))))
                  """,
                  vip))
          .isEqualTo("%1$d %1$d %1$d".formatted(error));
    }
    assertThat(node.tables.count(Counter.SOCKET_REJECTED)).isEqualTo(6);
  }

  @Test
  void leavesOtherPeersAlone() {
    assertThat(node.python("s = tcp('10.244.1.2', 8080); print(name(s), peer(s))"))
        .isEqualTo("two 10.244.1.2 8080");
    assertThat(
            node.python(
                """
                s = udp("10.244.1.2")
                s.sendto(b"x", ("10.244.1.2", 8080))
                data, sender = s.recvfrom(100)
                print(data.decode(), *sender)
                """))
        .isEqualTo("two 10.244.1.2 8080");
    assertThat(node.tables.count(Counter.SOCKET_CONNECT)).isZero();
    assertThat(node.tables.count(Counter.SOCKET_SENDMSG)).isZero();
  }

  @Test
  void balancesNothingNewUnlessActive() {
    for (int phase : new int[] {Tables.PREPARED, Tables.DRAINING}) {
      node.phase(phase);
      // Nobody else serves the address here, so the call fails as the network says.
      assertThat(node.python("print(refused(lambda: tcp('10.96.0.10', 80)))")).isEqualTo("101");
      assertThat(node.python("print(refused(lambda: udp('').sendto(b'x', ('10.96.0.10', 80))))"))
          .isEqualTo("101");
    }
  }

  @Test
  void stillNamesTheServiceWhileDraining() throws Exception {
    Process process =
        new ProcessBuilder(
                node.command(
                    """
                    s = tcp("10.96.0.10", 80)
                    print(name(s), flush=True)
                    sys.stdin.readline()
                    print(peer(s))
                    """))
            .start();
    try (var in = process.outputWriter();
        var out = process.inputReader()) {
      assertThat(out.readLine()).isEqualTo("one");
      node.phase(Tables.DRAINING);
      assertThat(next(in, out)).isEqualTo("10.96.0.10 80");
    }
    assertThat(process.waitFor()).isZero();
  }
}
