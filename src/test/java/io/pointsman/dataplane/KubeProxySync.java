// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.dataplane.iptables.KubeProxyNode;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.Bench;
import io.pointsman.testing.BoundProcess;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/** A real kube-proxy of a mode, beside a real API server, and what its own metrics tell. */
public enum KubeProxySync {
  /** Tells changes apart from full programming. */
  IPTABLES(
      "iptables",
      "kubeproxy_sync_full_proxy_rules_duration_seconds",
      "kubeproxy_sync_partial_proxy_rules_duration_seconds"),
  /** Compares all it has with all it should have at each change. */
  IPVS(
      "ipvs",
      "kubeproxy_sync_proxy_rules_duration_seconds",
      "kubeproxy_sync_proxy_rules_duration_seconds");

  /** Shorter than what lies between two of its syncs; each look costs it processor time. */
  private static final Duration POLL = Duration.ofMillis(500);

  private final String mode;
  private final String full;
  private final String change;

  KubeProxySync(String mode, String full, String change) {
    this.mode = mode;
    this.full = full;
    this.change = change;
  }

  /** Starts it with that many Services, and changes an endpoint of some. */
  SyncFigures measure(int services, int changes) throws IOException {
    try (ApiServer server = ApiServer.startEmpty();
        KubernetesClient client = server.client()) {
      KubeProxyNode.register(client, KubeProxyNode.ADDRESS_V4);
      IntStream.range(0, services)
          .parallel()
          .forEach(
              i -> {
                client.resource(SyncServices.service(i)).create();
                client.resource(SyncServices.slice(i, SyncServices.ENDPOINTS)).create();
              });
      try (KubeProxyNode node = new KubeProxyNode(server);
          BoundProcess kubeProxy = node.startKubeProxy(mode)) {
        Awaitility.await()
            .pollInterval(POLL)
            .atMost(Duration.ofHours(2))
            .until(() -> !kubeProxy.alive() || metric(node, full + "_count") > 0);
        if (!kubeProxy.alive()) {
          throw new IllegalStateException("kube-proxy has ended: " + kubeProxy.output());
        }
        SyncFigures figures = server.whileItRuns(() -> measure(client, node, kubeProxy, changes));
        Bench.print(
            "%,d Services x %d, kube-proxy in %s mode: %.0f MiB resident",
            services, SyncServices.ENDPOINTS, mode, kubeProxy.residentMebibytes());
        return figures;
      }
    }
  }

  private SyncFigures measure(
      KubernetesClient client, KubeProxyNode node, BoundProcess kubeProxy, int changes) {
    double fullMillis = metric(node, full + "_sum") / metric(node, full + "_count") * 1000;
    double fullCpu = kubeProxy.cpuMillis();
    double before = metric(node, change + "_count");
    double spent = metric(node, change + "_sum");
    for (int i = 0; i < changes; i++) {
      double seen = metric(node, change + "_count");
      client.resource(SyncServices.slice(i, SyncServices.ENDPOINTS - 1)).update();
      Awaitility.await()
          .pollInterval(POLL)
          .atMost(Duration.ofMinutes(10))
          .until(() -> metric(node, change + "_count") > seen);
    }
    double syncs = metric(node, change + "_count") - before;
    return new SyncFigures(
        fullMillis,
        (metric(node, change + "_sum") - spent) / syncs * 1000,
        fullCpu,
        (kubeProxy.cpuMillis() - fullCpu) / syncs);
  }

  /** A figure of IPv4 among kube-proxy's metrics; 0 when it is not there yet. */
  private static double metric(KubeProxyNode node, String name) {
    return node.sandbox.inNamespace(
        () -> {
          try (var in = URI.create("http://127.0.0.1:10249/metrics").toURL().openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.startsWith(name + "{ip_family=\"IPv4\"}"))
                .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf("} ") + 2)))
                .findFirst()
                .orElse(0);
          } catch (IOException e) {
            return 0.0; // not listening yet
          }
        });
  }
}
