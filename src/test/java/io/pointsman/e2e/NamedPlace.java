// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The cluster that KUBECONFIG names. Its nodes have the images that {@code make image} and {@code
 * scripts/lab test-image} make, or can pull those that POINTSMAN_IMAGE and POINTSMAN_TEST_IMAGE
 * name. What the tests put into it they take away again.
 */
record NamedPlace(Path kubeconfig, TestImages images) implements Place {
  private static final String SHELL = "pointsman-test";
  private static final String PDP = "proxydataplanes.pointsman.io";

  /** The file that KUBECONFIG names, if it is set. */
  static Optional<Path> named() {
    var named = System.getenv("KUBECONFIG");
    if (named == null || named.isBlank()) {
      return Optional.empty();
    }
    var file = Path.of(named);
    if (named.contains(File.pathSeparator) || !Files.isRegularFile(file)) {
      throw new IllegalStateException(
          "KUBECONFIG is '%s': for the tests it must name one file that is there, or be unset"
              .formatted(named));
    }
    return Optional.of(file);
  }

  /** The cluster of that file, if nobody uses Pointsman in it. */
  static NamedPlace of(Path kubeconfig) {
    var product = System.getenv("POINTSMAN_IMAGE");
    var server = System.getenv("POINTSMAN_TEST_IMAGE");
    if ((product == null) != (server == null)) {
      throw new IllegalStateException(
          "set both POINTSMAN_IMAGE and POINTSMAN_TEST_IMAGE, or neither of them");
    }
    var images =
        product == null || server == null
            ? TestImages.LOADED
            : new TestImages(product, server, "IfNotPresent");
    var place = new NamedPlace(kubeconfig, images);
    var found = place.found("crd", PDP) + place.found("namespace", TestCluster.NAMESPACE);
    if (!found.isBlank()) {
      throw new IllegalStateException(
          "the cluster that KUBECONFIG names has Pointsman already (%s), and the tests would take it away: uninstall it, or name another cluster"
              .formatted(found.strip().replace("\n", ", ")));
    }
    System.out.println("the tests run on the cluster that KUBECONFIG names: " + kubeconfig);
    return place;
  }

  /** Enters the node from a privileged pod, which is made when it is needed first. */
  @Override
  public String onNode(String node, List<String> command) {
    if (found("namespace", SHELL).isBlank()) {
      apply("node-shell.yaml");
    }
    kubectl("-n", SHELL, "rollout", "status", "daemonset/shell", "--timeout=120s");
    var pod =
        kubectl("-n", SHELL, "get", "pods", "-o=name", "--field-selector=spec.nodeName=" + node);
    var all = new ArrayList<>(List.of("-n", SHELL, "exec", pod.strip(), "--"));
    all.addAll(List.of("nsenter", "-t", "1", "-m", "-u", "-i", "-n", "-p", "--"));
    all.addAll(command);
    return kubectl(all.toArray(String[]::new));
  }

  private String found(String kind, String name) {
    return kubectl("get", kind, name, "--ignore-not-found", "-o=name");
  }

  private String kubectl(String... arguments) {
    return run("kubectl", List.of(arguments));
  }

  @Override
  public void close() {
    if (!found("crd", PDP).isBlank()) {
      kubectl("delete", PDP, "--all", "--timeout=360s");
    }
    kubectl("delete", "--ignore-not-found", "-f=src/test/resources/e2e/web.yaml");
    run(
        "helm",
        List.of("uninstall", "pointsman", "-n", TestCluster.NAMESPACE, "--ignore-not-found"));
    kubectl("delete", "crd", "--ignore-not-found", PDP, "nodedataplanes.pointsman.io");
    kubectl("delete", "namespace", "--ignore-not-found", SHELL, TestCluster.NAMESPACE);
  }
}
