// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.BoundProcess;
import io.pointsman.testing.Programs;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A network namespace in which a real kube-proxy can run; the API server is reached at loopback.
 */
public final class KubeProxyNode implements AutoCloseable {
  /** The Node that kube-proxy works for. */
  public static final String NAME = "node-1";

  /** Its IPv4 address. */
  public static final String ADDRESS_V4 = "192.0.2.10";

  /** Its IPv6 address. */
  public static final String ADDRESS_V6 = "2001:db8::10";

  static final String RANGE_V4 = "10.244.0.0/16";
  static final String RANGE_V6 = "fd00:10:244::/48";

  /** Where it runs. */
  public final KernelSandbox sandbox;

  private final boolean own;
  private final ApiServer server;
  private final ServerSocket door;
  private final Path log;
  private final List<BoundProcess> processes = new ArrayList<>();

  /** Makes the namespace. */
  public KubeProxyNode(ApiServer server) throws IOException {
    this(server, new KernelSandbox(), true);
    sandbox.ipBatch(
        """
        link add eth0 type veth peer name eth1
        addr add %s/24 dev eth0
        addr add %s/64 dev eth0 nodad
        link set eth0 up
        link set eth1 up
        route add default via 192.0.2.1
        """
            .formatted(ADDRESS_V4, ADDRESS_V6));
  }

  /** Takes a namespace that is there, and leaves it there. */
  KubeProxyNode(ApiServer server, KernelSandbox sandbox) throws IOException {
    this(server, sandbox, false);
  }

  private KubeProxyNode(ApiServer server, KernelSandbox sandbox, boolean own) throws IOException {
    this.server = server;
    this.sandbox = sandbox;
    this.own = own;
    this.log = Files.createTempFile("kube-proxy", ".log");
    int port = URI.create(server.url()).getPort();
    this.door =
        sandbox.inNamespace(() -> new ServerSocket(port, 50, InetAddress.getByName("127.0.0.1")));
    Thread.ofPlatform().daemon().name("door").start(() -> accept(port));
  }

  /** Makes the Node object, with these addresses. */
  public static void register(KubernetesClient client, String... addresses) {
    register(client, Map.of(), addresses);
  }

  /** The same with labels. */
  public static void register(
      KubernetesClient client, Map<String, String> labels, String... addresses) {
    Node node =
        new NodeBuilder()
            .withNewMetadata()
            .withName(NAME)
            .withLabels(labels)
            .endMetadata()
            .withNewStatus()
            .withAddresses(
                Arrays.stream(addresses)
                    .map(address -> new NodeAddress(address, "InternalIP"))
                    .toList())
            .endStatus()
            .build();
    client.resource(node).create();
    client.resource(node).updateStatus();
  }

  /** Starts kube-proxy in its iptables mode. */
  BoundProcess startKubeProxy() {
    return startKubeProxy("iptables");
  }

  /** Starts kube-proxy in that mode. */
  public BoundProcess startKubeProxy(String mode) {
    BoundProcess process =
        BoundProcess.start(
            List.of(
                "ip",
                "netns",
                "exec",
                sandbox.namespace(),
                Programs.path("kube-proxy").toString(),
                "--kubeconfig=" + server.kubeconfig(),
                "--proxy-mode=" + mode,
                "--hostname-override=" + NAME,
                "--cluster-cidr=" + RANGE_V4 + "," + RANGE_V6,
                "--conntrack-max-per-core=0"),
            log);
    processes.add(process);
    return process;
  }

  /** Carries connections out of the namespace, each way on a thread. */
  private void accept(int port) {
    try {
      while (true) {
        Socket inside = door.accept();
        Socket outside = new Socket(InetAddress.getByName("127.0.0.1"), port);
        carry(inside, outside);
        carry(outside, inside);
      }
    } catch (IOException e) {
      // closed: the test is over
    }
  }

  private static void carry(Socket from, Socket to) {
    Thread.ofVirtual()
        .start(
            () -> {
              try (from;
                  to) {
                from.getInputStream().transferTo(to.getOutputStream());
              } catch (IOException e) {
                // one of them has hung up
              }
            });
  }

  @Override
  public void close() throws IOException {
    processes.forEach(BoundProcess::close);
    door.close();
    if (own) {
      sandbox.close();
    }
    Files.delete(log);
  }
}
