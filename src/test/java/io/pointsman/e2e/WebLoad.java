// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Service;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A web Service with a pod on every node, loaded from a pod by its service addresses and by its
 * node port on every node, in all families it has: from the client outside where there is one, else
 * from the pod.
 */
public final class WebLoad implements AutoCloseable {
  private static final int NODE_PORT = 30080;
  private static final Duration READY = Duration.ofMinutes(10);

  /** A longer patience would not see that a question to the cluster's DNS was lost. */
  private static final Duration BEFORE_RESOLVERS_ASK_AGAIN = Duration.ofSeconds(5);

  /** The name of the load through node ports where there is a client outside the cluster. */
  static final String FROM_OUTSIDE = "outside -> node port";

  private final Traffic services;
  private final Traffic nodePorts;

  private WebLoad(Traffic services, Traffic nodePorts) {
    this.services = services;
    this.nodePorts = nodePorts;
  }

  /** Creates the Service and its pods and waits until they are ready. */
  public static void deploy(TestCluster cluster) {
    deploy(cluster, Pace.FULL);
  }

  /** The same at that pace. */
  static void deploy(TestCluster cluster, Pace pace) {
    cluster.apply("web.yaml", manifest -> lingering(manifest, pace.lingerSeconds()));
    cluster.kubectl("rollout", "status", "deployment/web", "--timeout=600s");
    cluster.kubectl("wait", "--for=condition=Ready", "pod/traffic", "--timeout=600s");
    // A pod is Ready before each node's dataplane knows it: the load counts what is lost later.
    for (var target : nodePortTargets(cluster)) {
      await().atMost(READY).until(() -> answers(cluster, target));
    }
  }

  /** With pods that serve on for so long. */
  private static String lingering(String manifest, long seconds) {
    return manifest
        .replace("--delay-shutdown=3", "--delay-shutdown=" + seconds)
        .replace("GracePeriodSeconds: 5", "GracePeriodSeconds: " + (seconds + 2));
  }

  private static boolean answers(TestCluster cluster, String target) {
    var curl = new String[] {"curl", "-sSf", "--max-time", "3", target};
    var command =
        cluster.outside().map(client -> client.command(curl)).orElseGet(() -> cluster.inPod(curl));
    return Traffic.passes(command);
  }

  /** Starts both loads at that many requests per second each. */
  public static WebLoad start(TestCluster cluster, int perSecond) {
    return start(cluster, Pace.FULL.at(perSecond).within(BEFORE_RESOLVERS_ASK_AGAIN));
  }

  /** Starts both loads at that pace. */
  static WebLoad start(TestCluster cluster, Pace pace) {
    var services = load("/traffic", pace, clusterTargets(service(cluster)));
    var targets = nodePortTargets(cluster);
    var nodePorts =
        cluster
            .outside()
            .map(client -> client.command(load("traffic", pace, targets)))
            .orElseGet(() -> cluster.inPod(load("/traffic", pace, targets)));
    return new WebLoad(
        Traffic.start("pod -> ClusterIP", cluster.inPod(services)),
        Traffic.start(
            cluster.outside().isPresent() ? FROM_OUTSIDE : "pod -> node port", nodePorts));
  }

  private static String[] load(String program, Pace pace, List<String> targets) {
    return new String[] {
      program,
      "http",
      "--concurrency=4",
      "--rate=" + pace.perSecond(),
      pace.timeout(),
      "--until-eof",
      "--progress=500ms",
      "--targets=" + String.join(",", targets)
    };
  }

  private static Service service(TestCluster cluster) {
    return cluster.client().services().inNamespace("default").withName("web").require();
  }

  private static List<String> clusterTargets(Service service) {
    return Stream.concat(Stream.of("web"), service.getSpec().getClusterIPs().stream())
        .map(WebLoad::url)
        .toList();
  }

  private static List<String> nodePortTargets(TestCluster cluster) {
    var families = service(cluster).getSpec().getIpFamilies();
    return cluster.nodes().stream()
        .flatMap(node -> node.addresses().stream())
        .filter(address -> families.contains(address.contains(":") ? "IPv6" : "IPv4"))
        .map(address -> url(address).replace("/hostname", ":" + NODE_PORT + "/hostname"))
        .toList();
  }

  private static String url(String host) {
    return "http://%s/hostname".formatted(host.contains(":") ? "[" + host + "]" : host);
  }

  /** Begins a phase in both loads. */
  public void phase(String name) {
    services.phase(name);
    nodePorts.phase(name);
  }

  /** How many requests both have sent so far. */
  public long requests() {
    return services.requests() + nodePorts.requests();
  }

  /** Ends both loads. */
  public Result finish() {
    var counted = new LinkedHashMap<String, List<Traffic.Phase>>();
    counted.put(services.name(), services.finish());
    counted.put(nodePorts.name(), nodePorts.finish());
    return new Result(counted);
  }

  @Override
  public void close() {
    services.close();
    nodePorts.close();
  }

  /** What both loads counted by their names, a phase an element. */
  public record Result(Map<String, List<Traffic.Phase>> loads) {
    /** Requests that failed, of both. */
    public long failed() {
      return phases().mapToLong(Traffic.Phase::failed).sum();
    }

    /** Requests that were sent, of both. */
    public long requests() {
      return phases().mapToLong(Traffic.Phase::requests).sum();
    }

    /** Requests that were sent in a phase, of both. */
    public long requests(String phase) {
      return phases()
          .filter(each -> each.name().equals(phase))
          .mapToLong(Traffic.Phase::requests)
          .sum();
    }

    private Stream<Traffic.Phase> phases() {
      return loads.values().stream().flatMap(List::stream);
    }

    /** A table for people. */
    public String table() {
      var text = new StringBuilder();
      loads.forEach((load, phases) -> rows(text, load, phases));
      return text.toString();
    }

    private static void rows(StringBuilder text, String from, List<Traffic.Phase> phases) {
      for (var phase : phases) {
        if (phase.requests() + phase.failed() == 0) {
          continue;
        }
        text.append(
            "%-20s %-16s requests %8d  failed %4d  p50 %6.2f ms  p99 %7.2f ms  max %7.2f ms%s%n"
                .formatted(
                    from,
                    phase.name(),
                    phase.requests(),
                    phase.failed(),
                    phase.p50() / 1000.0,
                    phase.p99() / 1000.0,
                    phase.max() / 1000.0,
                    phase.failed() > 0 ? "  " + phase.errors() : ""));
      }
    }
  }
}
