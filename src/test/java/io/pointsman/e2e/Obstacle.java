// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointBuilder;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSliceBuilder;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.lab.Hang;
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
      var waiting =
          cluster.lab().nodes().stream().map(ForeignRules::hideFilterOncePrepared).toList();
      return () -> {
        waiting.forEach(ForeignRules::end);
        ForeignRules.showFilter(cluster);
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
      return hideAsKubeProxyLeaves(cluster);
    }
  },

  /**
   * The same when BPF serves already: what kube-proxy left in that table is seen, and cannot be
   * taken away.
   */
  LEFTOVERS_STAY(
      null,
      LinuxDataplane.BPF,
      120,
      "ProgressDeadlineExceeded",
      "Of kube-proxy is left: chain ip filter KUBE-") {
    @Override
    Way arise(TestCluster cluster) {
      return hideAsKubeProxyLeaves(cluster);
    }
  },

  /**
   * Somebody else owns the table filter (nft's flag owner), so the kernel refuses what anybody but
   * that process writes there: iptables-restore fails, and names the line.
   */
  RULES_ARE_REFUSED(LinuxDataplane.BPF, LinuxDataplane.IPTABLES, 600, "DataplaneFailed", "line ") {
    @Override
    Way arise(TestCluster cluster) {
      cluster.onNodes("nft delete table ip filter");
      var owners = cluster.lab().nodes().stream().map(ForeignRules::ownFilter).toList();
      return () -> owners.forEach(ForeignRules::end);
    }
  },

  /** Somebody has put a folder where a map is to be pinned, so the kernel does not take it. */
  PINS_ARE_TAKEN(LinuxDataplane.IPTABLES, LinuxDataplane.BPF, 600, "DataplaneFailed", "v1/ct") {
    @Override
    Way arise(TestCluster cluster) {
      return foreignPin(cluster, "ct");
    }

    @Override
    String lastWord() {
      return "cannot go back";
    }
  },

  /** The kernel gives new devices no IPv6, so what netlink asks of that of IPVS is refused. */
  DEVICES_HAVE_NO_IPV6(
      LinuxDataplane.BPF, LinuxDataplane.IPVS, 600, "DataplaneFailed", "kube-ipvs0: EACCES") {
    @Override
    Way arise(TestCluster cluster) {
      withoutIpv6(cluster, 1);
      return () -> withoutIpv6(cluster, 0);
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

  /** A folder of somebody else's among Pointsman's pins on every node; what is in it keeps it. */
  static Way foreignPin(TestCluster cluster, String name) {
    var pin = "pointsman/v1/" + name + "/pin";
    cluster.onNodes("mkdir -p /sys/fs/bpf/" + pin);
    return () ->
        cluster.onNodes(
            "cd /sys/fs/bpf && rmdir -p %1$s 2> /dev/null || ! [ -d %1$s ]".formatted(pin));
  }

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

  private static Way hideAsKubeProxyLeaves(TestCluster cluster) {
    return once(
        () -> kubeProxyLeaves(cluster),
        () -> {
          ForeignRules.hideFilter(cluster);
          return () -> ForeignRules.showFilter(cluster);
        });
  }

  private static boolean kubeProxyLeaves(TestCluster cluster) {
    return cluster.client().resources(NodeDataplane.class).list().getItems().stream()
        .anyMatch(node -> node.getSpec().kubeProxy == KubeProxyState.DETACHING);
  }

  private static void withoutIpv6(TestCluster cluster, int disabled) {
    cluster.onNodes("echo " + disabled + " > /proc/sys/net/ipv6/conf/default/disable_ipv6");
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
