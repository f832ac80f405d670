// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.awaitility.Awaitility.await;

import io.pointsman.e2e.Traffic.Phase;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Flows that begin once and have to live on with their data and their backend: TCP connections on
 * which checksummed blocks go there and back, up only, and down only, UDP streams with one source
 * port, and beside them UDP with a new port for each message. From a pod by the service addresses,
 * from outside by every node's node port, in both families.
 */
final class LongFlows implements AutoCloseable {
  private static final int PORT = 7000;
  private static final int NODE_PORT = 30070;
  private static final int SOURCE_PORT = 20_000;
  private static final int WAYS = 3;

  /** More than targets, each of which has the next port. */
  private static final int PORTS = 100;

  private static final Duration READY = Duration.ofMinutes(10);

  private final List<Traffic> streams;
  private final List<Traffic> datagrams;
  private final List<Traffic> fresh;

  private LongFlows(List<Traffic> streams, List<Traffic> datagrams, List<Traffic> fresh) {
    this.streams = streams;
    this.datagrams = datagrams;
    this.fresh = fresh;
  }

  /** Creates the servers and waits until they answer everywhere. */
  static void deploy(TestCluster cluster) {
    cluster.apply("echo.yaml");
    cluster.kubectl("rollout", "status", "deployment/echo", "--timeout=600s");
    // A pod is Ready before each node's dataplane knows it: what is lost later counts.
    for (var kind : List.of("stream", "udp")) {
      var arguments = new String[] {kind, "--duration=300ms", "--timeout=2s"};
      await().atMost(READY).until(() -> Traffic.passes(inPod(cluster, arguments)));
      await().atMost(READY).until(() -> Traffic.passes(outside(cluster, arguments)));
    }
  }

  private static List<String> inPod(TestCluster cluster, String... arguments) {
    var service = cluster.client().services().inNamespace("default").withName("echo").require();
    var targets = targets(service.getSpec().getClusterIPs(), PORT);
    return cluster.inPod(line("/traffic", targets, arguments));
  }

  private static List<String> outside(TestCluster cluster, String... arguments) {
    var addresses = cluster.nodes().stream().flatMap(node -> node.addresses().stream()).toList();
    var client = cluster.outside().orElseThrow();
    return client.command(line("traffic", targets(addresses, NODE_PORT), arguments));
  }

  /** Begins all of them. */
  static LongFlows start(TestCluster cluster, Pace pace) {
    // What is lost of a new flow is a loss, so it is not sent again.
    return new LongFlows(
        streams(cluster, pace),
        datagrams(cluster, pace, "--source-port=" + SOURCE_PORT),
        datagrams(cluster, pace.resending(Duration.ZERO), "--fresh"));
  }

  /**
   * Begins the streams once more, under whatever serves now, and waits until they have.
   *
   * @param number tells them apart from those before
   */
  static LongFlows again(TestCluster cluster, Pace pace, int number) {
    var seldom = pace.trickling();
    var port = "--source-port=" + (SOURCE_PORT + number * PORTS);
    var flows =
        new LongFlows(streams(cluster, seldom), datagrams(cluster, seldom, port), List.of());
    var targets = 2L * cluster.nodes().size();
    await()
        .atMost(pace.limit())
        .until(
            () ->
                flows.streams.stream().allMatch(load -> load.requests() >= 2 * WAYS * targets)
                    && flows.datagrams.stream().allMatch(load -> load.requests() >= 2 * targets));
    return flows;
  }

  private static List<Traffic> streams(TestCluster cluster, Pace pace) {
    var block = "--block=" + pace.block();
    return both(
        cluster, "stream", "--ways=both,upload,download", block, pause(pace), pace.timeout());
  }

  private static List<Traffic> datagrams(TestCluster cluster, Pace pace, String port) {
    var resend = "--resend=" + pace.resend().toSeconds() + "s";
    return both(cluster, "udp", port, resend, pause(pace), pace.timeout());
  }

  private static String pause(Pace pace) {
    return "--interval=" + pace.pause().toMillis() + "ms";
  }

  private static String targets(List<String> addresses, int port) {
    return addresses.stream()
        .map(address -> (address.contains(":") ? "[" + address + "]" : address) + ":" + port)
        .collect(Collectors.joining(","));
  }

  private static List<Traffic> both(TestCluster cluster, String... arguments) {
    var kind = String.join(" ", arguments);
    var lasting = new ArrayList<>(List.of(arguments));
    lasting.addAll(List.of("--until-eof", "--progress=500ms"));
    var all = lasting.toArray(String[]::new);
    return List.of(
        Traffic.start("pod -> ClusterIP " + kind, inPod(cluster, all)),
        Traffic.start("outside -> node port " + kind, outside(cluster, all)));
  }

  private static String[] line(String program, String targets, String... arguments) {
    var line = new ArrayList<>(List.of(program));
    line.addAll(List.of(arguments));
    line.add("--targets=" + targets);
    return line.toArray(String[]::new);
  }

  private List<Traffic> all() {
    var all = new ArrayList<>(streams);
    all.addAll(datagrams);
    all.addAll(fresh);
    return all;
  }

  /** Begins a phase in all of them. */
  void phase(String name) {
    all().forEach(load -> load.phase(name));
  }

  /** Messages that were sent so far, of all. */
  long messages() {
    return all().stream().mapToLong(Traffic::requests).sum();
  }

  Result finish() {
    Function<List<Traffic>, List<List<Phase>>> finish =
        loads -> loads.stream().map(Traffic::finish).toList();
    return new Result(finish.apply(streams), finish.apply(datagrams), finish.apply(fresh));
  }

  @Override
  public void close() {
    all().forEach(Traffic::close);
  }

  /** What was counted, a load an element. */
  record Result(List<List<Phase>> streams, List<List<Phase>> datagrams, List<List<Phase>> fresh) {
    /** The first failures in words; empty when there was none. */
    List<String> failures() {
      var failures = new ArrayList<String>();
      for (var loads : List.of(streams, datagrams, fresh)) {
        for (var load : loads) {
          for (var phase : load) {
            if (phase.failed() > 0) {
              failures.add(phase.name() + ": " + phase.failed() + " failed " + phase.errors());
            }
          }
        }
      }
      return failures;
    }

    /** Who answered the UDP streams over all phases, as "TARGET SERVER". */
    Set<String> answers() {
      return datagrams.stream()
          .flatMap(List::stream)
          .flatMap(phase -> phase.answers().stream())
          .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Whom the UDP streams asked. */
    long targets() {
      return answers().stream().map(answer -> answer.split(" ", 2)[0]).distinct().count();
    }

    /** UDP messages that were sent again in a phase. */
    long resent(String phase) {
      return Stream.of(datagrams, fresh)
          .flatMap(loads -> of(loads, phase).stream())
          .mapToLong(Phase::resent)
          .sum();
    }

    /** New UDP flows in a phase. */
    long fresh(String phase) {
      return of(fresh, phase).stream().mapToLong(Phase::requests).sum();
    }

    /** The longest time without an answer on a TCP connection in a phase, in milliseconds. */
    double longestGap(String phase) {
      return of(streams, phase).stream().mapToLong(Phase::max).max().orElse(0) / 1000.0;
    }

    private static List<Phase> of(List<List<Phase>> loads, String name) {
      return loads.stream()
          .flatMap(List::stream)
          .filter(phase -> phase.name().equals(name))
          .toList();
    }
  }
}
