// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.fabric8.kubernetes.api.model.NodeAddress;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.lab.Client;
import io.pointsman.lab.Lab;
import io.pointsman.lab.LabOptions;
import io.pointsman.lab.PatientClient;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The cluster that a test runs on, with Pointsman's image on its nodes; the chart is installed by
 * {@link #install}.
 */
public final class TestCluster implements AutoCloseable {
  /** The namespace the chart is installed into. */
  public static final String NAMESPACE = "pointsman-system";

  /**
   * Locks the cluster that KUBECONFIG names, of which there is one, or the processors, which two
   * labs would wait for so long that it looks like a loss.
   */
  static final String ALONE = "a cluster";

  /** The order of those that lose nothing by another lab beside them: after all that may. */
  static final int TOGETHER = Integer.MAX_VALUE;

  private static final String POD = "traffic";

  private final Place place;
  private final KubernetesClient client;

  TestCluster(Place place) {
    this.place = place;
    this.client = PatientClient.of(place.kubeconfig());
  }

  /**
   * A node of the cluster.
   *
   * @param addresses its addresses inside the cluster's network, IPv4 and IPv6
   */
  public record Node(String name, List<String> addresses) {}

  /** The cluster that KUBECONFIG names, or else a lab of that shape. */
  public static TestCluster up(LabOptions options) {
    var named = NamedPlace.named();
    return named.isPresent() ? new TestCluster(NamedPlace.of(named.get())) : inLab(options);
  }

  /** A lab of that shape. */
  public static TestCluster inLab(LabOptions options) {
    var images = List.of(ProductImage.archive());
    var lab = Lab.up(options.withImages(images), line -> System.out.println("lab: " + line));
    return new TestCluster(new LabPlace(lab));
  }

  /**
   * The lab.
   *
   * @throws IllegalStateException when the cluster is none
   */
  public Lab lab() {
    return place.lab().orElseThrow(() -> new IllegalStateException("this cluster is no lab"));
  }

  /** A client outside the cluster, where there is one. */
  public Optional<Client> outside() {
    return place.lab().map(Lab::client);
  }

  /** A client with an administrator's rights. */
  public KubernetesClient client() {
    return client;
  }

  /** All Linux nodes. */
  public List<Node> nodes() {
    return client.nodes().withLabel("kubernetes.io/os", "linux").list().getItems().stream()
        .map(
            node ->
                new Node(
                    node.getMetadata().getName(),
                    node.getStatus().getAddresses().stream()
                        .filter(address -> address.getType().equals("InternalIP"))
                        .map(NodeAddress::getAddress)
                        .toList()))
        .toList();
  }

  /** Runs kubectl and returns its output; fails with what it printed. */
  public String kubectl(String... arguments) {
    return place.run("kubectl", List.of(arguments));
  }

  /** Prints what somebody asks for who looks why a test failed. */
  void tell() {
    System.out.println(kubectl("get", "pdp,ndp", "-o", "yaml"));
    System.out.println(kubectl("get", "pods,nodes", "-A", "-o", "wide"));
    System.out.println(kubectl("get", "events", "-A", "--sort-by=.lastTimestamp"));
    for (var component : List.of("operator", "agent")) {
      var pods = "--selector=app.kubernetes.io/component=" + component;
      System.out.println(kubectl("-n", NAMESPACE, "logs", "--prefix", "--tail=80", pods));
    }
  }

  /** The command line that runs {@code command} in the pod of the load, as a process. */
  public List<String> inPod(String... command) {
    return place.inPod(POD, List.of(command));
  }

  /** Applies a file of src/test/resources/e2e, with the images that this cluster has. */
  public void apply(String file) {
    place.apply(file);
  }

  /** The same with changes of the manifest. */
  public void apply(String file, UnaryOperator<String> changes) {
    place.apply(file, changes);
  }

  /** Installs the chart, or brings it to what Helm's arguments say. */
  public void install(String... arguments) {
    var all =
        new ArrayList<>(
            List.of(
                "upgrade",
                "--install",
                "pointsman",
                Path.of("helm", "pointsman").toString(),
                "--namespace=" + NAMESPACE,
                "--create-namespace",
                "--set=" + place.images().values(),
                "--wait",
                "--timeout=3m"));
    all.addAll(List.of(arguments));
    try {
      place.run("helm", all);
    } catch (IllegalStateException e) {
      try {
        tell();
      } catch (IllegalStateException untold) {
        e.addSuppressed(untold);
      }
      throw e;
    }
  }

  /** Runs a command as a process of the node and returns its output; fails with what it printed. */
  public String onNode(String node, String... command) {
    return place.onNode(node, List.of(command));
  }

  /** The same by a shell of each node. */
  public void onNodes(String script) {
    nodes().forEach(node -> onNode(node.name(), "sh", "-c", script));
  }

  /** Takes away what the test brought: the lab, or Pointsman on a cluster that was there. */
  @Override
  public void close() {
    client.close();
    place.close();
  }
}
