// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.kernel.OnlyNft;
import io.pointsman.lab.Hang;
import io.pointsman.lab.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** What keeps every node of a cluster from being switched, and how it is told. */
enum Obstacle {
  /** The probe Service gets endpoints that nobody is at. */
  PROBE_IS_NOT_ANSWERED(null, LinuxDataplane.BPF, 600, "ProbeFailed", "pointsman-probe") {
    @Override
    Way arise(TestCluster cluster) {
      var families = List.of("IPv4", "IPv6");
      families.forEach(family -> nowhere(cluster, family));
      return () ->
          families.forEach(
              family ->
                  cluster.kubectl(
                      "-n", TestCluster.NAMESPACE, "delete", "endpointslice/" + slice(family)));
    }
  },

  /**
   * Somebody else writes a rule into a node's table filter that only nft can show, after Preflight,
   * which would name it: iptables-save leaves out the whole table, so what is written there cannot
   * be proven, and not be taken out either as long as the rule is there.
   */
  RULES_CANNOT_BE_READ(
      LinuxDataplane.BPF, LinuxDataplane.IPTABLES, 600, "NotProven|DataplaneFailed", "filter") {
    @Override
    Way arise(TestCluster cluster) {
      var waiting = cluster.lab().nodes().stream().map(Obstacle::hideFilterOncePrepared).toList();
      return () -> {
        waiting.forEach(Obstacle::end);
        showFilter(cluster);
      };
    }

    @Override
    String lastWord() {
      return "cannot go back";
    }
  },

  /**
   * The same rule appears when kube-proxy is on its way off the node, after Preflight, which would
   * name it. What kube-proxy left serves until it is back.
   */
  RULES_HIDE_AS_KUBE_PROXY_LEAVES(null, LinuxDataplane.IPTABLES, 600, "DataplaneFailed", "filter") {
    @Override
    Way arise(TestCluster cluster) {
      return once(() -> kubeProxyLeaves(cluster), () -> hideFilter(cluster));
    }
  },

  /**
   * Somebody else owns the table filter (nft's flag owner), so the kernel refuses what anybody but
   * that process writes there: iptables-restore fails, and names the line.
   */
  RULES_ARE_REFUSED(LinuxDataplane.BPF, LinuxDataplane.IPTABLES, 600, "DataplaneFailed", "line ") {
    @Override
    Way arise(TestCluster cluster) {
      everywhere(cluster, "nft delete table ip filter");
      var owners = cluster.lab().nodes().stream().map(Obstacle::ownFilter).toList();
      return () -> owners.forEach(Obstacle::end);
    }
  },

  /**
   * The kubelets hang as soon as a node is under way, so nobody ends kube-proxy's pods; the
   * deadline is over before the nodes are seen as gone.
   */
  KUBE_PROXY_STAYS(null, LinuxDataplane.BPF, 40, "ProgressDeadlineExceeded", "kube-proxy's pod") {
    @Override
    Way arise(TestCluster cluster) {
      return once(() -> new Walk(cluster).underWay(), () -> Hang.kubelets(cluster.lab())::close);
    }
  };

  /** A way that is barred until this is closed. */
  interface Way extends AutoCloseable {
    @Override
    void close();
  }

  private static final Duration LIMIT = Duration.ofMinutes(1);

  /** Some steps are short. */
  private static final Duration LOOK = Duration.ofMillis(10);

  private final @Nullable LinuxDataplane from;
  private final LinuxDataplane wanted;
  private final int deadline;
  private final String reason;
  private final String object;

  Obstacle(
      @Nullable LinuxDataplane from,
      LinuxDataplane wanted,
      int deadline,
      String reason,
      String object) {
    this.from = from;
    this.wanted = wanted;
    this.deadline = deadline;
    this.reason = reason;
    this.object = object;
  }

  /** Where the way begins; empty: at kube-proxy. */
  Optional<LinuxDataplane> from() {
    return Optional.ofNullable(from);
  }

  /** The dataplane on whose way it is. */
  LinuxDataplane wanted() {
    return wanted;
  }

  /** What is told when the way is free again: the failure, or that the way back is barred, too. */
  String lastWord() {
    return reason;
  }

  /** Seconds that a node may take. */
  int deadline() {
    return deadline;
  }

  /** The stable reason; a pattern where it can be one of several. */
  String reason() {
    return reason;
  }

  /** What the sentence behind the reason names. */
  String object() {
    return object;
  }

  /** Bars the way. */
  abstract Way arise(TestCluster cluster);

  /** Bars the way as soon as this is so. */
  private static Way once(Callable<Boolean> begun, Supplier<Way> bar) {
    var barred =
        CompletableFuture.supplyAsync(
            () -> {
              await().pollDelay(LOOK).pollInterval(LOOK).atMost(LIMIT).until(begun);
              return bar.get();
            });
    return () -> barred.join().close();
  }

  private static Way hideFilter(TestCluster cluster) {
    everywhere(cluster, "nft '" + OnlyNft.hides("ip filter") + "'");
    return () -> showFilter(cluster);
  }

  /**
   * A program of the node's own, for what comes after Prepare may come at once. The chain is the
   * first that Iptables makes. It ends early when it can read no more.
   */
  private static Process hideFilterOncePrepared(Node node) {
    var script =
        """
        until nft list chain ip nat POINTSMAN-STATE > /dev/null 2>&1; do
          read -rt 0.02
          [ $? -gt 128 ] || exit 0
        done
        nft '%s'
        """;
    return start(node, "bash", "-c", script.formatted(OnlyNft.hides("ip filter")));
  }

  private static void showFilter(TestCluster cluster) {
    everywhere(cluster, "nft '" + OnlyNft.shows("ip filter") + "'");
  }

  private static boolean kubeProxyLeaves(TestCluster cluster) {
    return cluster.client().resources(NodeDataplane.class).list().getItems().stream()
        .anyMatch(node -> node.getSpec().kubeProxy == KubeProxyState.DETACHING);
  }

  private static void everywhere(TestCluster cluster, String script) {
    cluster.nodes().forEach(node -> cluster.onNode(node.name(), "sh", "-c", script));
  }

  /** The table is there as long as the process. */
  private static Process ownFilter(Node node) {
    try {
      var owner = start(node, "nft", "-i");
      owner.getOutputStream().write("add table ip filter { flags owner; }\n".getBytes(US_ASCII));
      owner.getOutputStream().flush();
      await()
          .atMost(LIMIT)
          .until(() -> node.exec("nft", "list", "table", "ip", "filter").out().contains("owner"));
      return owner;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Process start(Node node, String... command) {
    try {
      return new ProcessBuilder(node.command(command)).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends what ends when it can read no more. */
  private static void end(Process reader) {
    try {
      reader.getOutputStream().close();
      reader.waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String slice(String family) {
    return "nowhere-" + family.toLowerCase(Locale.ROOT);
  }

  private static void nowhere(TestCluster cluster, String family) {
    cluster
        .client()
        .resource(
            new EndpointSliceBuilder()
                .withNewMetadata()
                .withName(slice(family))
                .withNamespace(TestCluster.NAMESPACE)
                .addToLabels("kubernetes.io/service-name", "pointsman-probe")
                .endMetadata()
                .withAddressType(family)
                .addNewPort()
                .withName("probe")
                .withPort(10356)
                .withProtocol("TCP")
                .endPort()
                .withEndpoints(IntStream.range(1, 100).mapToObj(i -> at(family, i)).toList())
                .build())
        .create();
  }

  private static Endpoint at(String family, int number) {
    var address =
        (family.equals("IPv4") ? "10.244.250.%d" : "fd00:10:244:fa::%d").formatted(number);
    return new EndpointBuilder().withAddresses(address).build();
  }
}
