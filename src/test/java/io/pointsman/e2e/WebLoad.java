// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Service;
import io.pointsman.lab.Node;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A web Service with a pod on every node, loaded from a pod by its service addresses and from the
 * client outside by its node port on every node, in both families.
 */
public final class WebLoad implements AutoCloseable {
  private static final int NODE_PORT = 30080;
  private static final Duration READY = Duration.ofMinutes(1);

  private final Traffic pod;
  private final Traffic outside;

  private WebLoad(Traffic pod, Traffic outside) {
    this.pod = pod;
    this.outside = outside;
  }

  /** Creates the Service and its pods and waits until they are ready. */
  public static void deploy(TestCluster cluster) {
    cluster.kubectl("apply", "-f", "src/test/resources/e2e/web.yaml");
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=120s");
    cluster.kubectl("wait", "--for=condition=Ready", "pod/traffic", "--timeout=120s");
    // A pod is Ready before each node's kube-proxy knows it: the load counts what is lost later.
    for (var target : nodePortTargets(cluster.lab().nodes())) {
      await().atMost(READY).until(() -> cluster.lab().client().exec("curl", "-sSf", target).ok());
    }
  }

  /** Starts both loads at that many requests per second each. */
  public static WebLoad start(TestCluster cluster, int perSecond) {
    var service = cluster.client().services().inNamespace("default").withName("web").require();
    var http =
        List.of(
            "http", "--concurrency=4", "--rate=" + perSecond, "--until-eof", "--progress=500ms");
    var inPod =
        new ArrayList<>(
            List.of(
                cluster.lab().binaries().resolve("kubectl").toString(),
                "--kubeconfig=" + cluster.lab().kubeconfig(),
                "exec",
                "-i",
                "traffic",
                "--",
                "/traffic"));
    inPod.addAll(http);
    inPod.add("--targets=" + String.join(",", clusterTargets(service)));
    var fromOutside = new ArrayList<>(List.of("traffic"));
    fromOutside.addAll(http);
    fromOutside.add("--targets=" + String.join(",", nodePortTargets(cluster.lab().nodes())));
    return new WebLoad(
        Traffic.start("from a pod", inPod),
        Traffic.start(
            "from outside", cluster.lab().client().command(fromOutside.toArray(String[]::new))));
  }

  private static List<String> clusterTargets(Service service) {
    return Stream.concat(Stream.of("web"), service.getSpec().getClusterIPs().stream())
        .map(WebLoad::url)
        .toList();
  }

  private static List<String> nodePortTargets(List<Node> nodes) {
    return nodes.stream()
        .flatMap(node -> Stream.of(node.address4(), node.address6()))
        .map(address -> url(address).replace("/hostname", ":" + NODE_PORT + "/hostname"))
        .toList();
  }

  private static String url(String host) {
    return "http://%s/hostname".formatted(host.contains(":") ? "[" + host + "]" : host);
  }

  /** Begins a phase in both loads. */
  public void phase(String name) {
    pod.phase(name);
    outside.phase(name);
  }

  /** How many requests both have sent so far. */
  public long requests() {
    return pod.requests() + outside.requests();
  }

  /** Ends both loads. */
  public Result finish() {
    return new Result(pod.finish(), outside.finish());
  }

  @Override
  public void close() {
    pod.close();
    outside.close();
  }

  /** What both loads counted, a phase an element. */
  public record Result(List<Traffic.Phase> pod, List<Traffic.Phase> outside) {
    /** Requests that failed, of both. */
    public long failed() {
      return Stream.concat(pod.stream(), outside.stream()).mapToLong(Traffic.Phase::failed).sum();
    }

    /** Requests that were sent, of both. */
    public long requests() {
      return Stream.concat(pod.stream(), outside.stream()).mapToLong(Traffic.Phase::requests).sum();
    }

    /** A table for people. */
    public String table() {
      var text = new StringBuilder();
      rows(text, "pod -> ClusterIP", pod);
      rows(text, "outside -> node port", outside);
      return text.toString();
    }

    private static void rows(StringBuilder text, String from, List<Traffic.Phase> phases) {
      for (var phase : phases) {
        text.append(
            "%-22s %-14s requests %8d  failed %4d  p50 %6.2f ms  p99 %7.2f ms%s%n"
                .formatted(
                    from,
                    phase.name(),
                    phase.requests(),
                    phase.failed(),
                    phase.p50() / 1000.0,
                    phase.p99() / 1000.0,
                    phase.failed() > 0 ? "  " + phase.errors() : ""));
      }
    }
  }
}
