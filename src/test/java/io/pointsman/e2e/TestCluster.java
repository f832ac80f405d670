// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.lab.CommandResult;
import io.pointsman.lab.Lab;
import io.pointsman.lab.LabOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A lab with Pointsman's image on its nodes; the chart is installed by {@link #install}. */
public final class TestCluster implements AutoCloseable {
  /** The namespace the chart is installed into. */
  public static final String NAMESPACE = "pointsman-system";

  private final Lab lab;

  private TestCluster(Lab lab) {
    this.lab = lab;
  }

  /** Brings a lab of that shape up and loads the image. */
  public static TestCluster up(LabOptions options) {
    var image = ProductImage.archive();
    var lab = Lab.up(options, line -> System.out.println("lab: " + line));
    lab.loadImage(image);
    return new TestCluster(lab);
  }

  /** The lab. */
  public Lab lab() {
    return lab;
  }

  /** A client with an administrator's rights. */
  public KubernetesClient client() {
    return lab.kubernetes();
  }

  /** Runs kubectl and returns its output; fails with what it printed. */
  public String kubectl(String... arguments) {
    return check(lab.kubectl(arguments));
  }

  /** Installs the chart, or brings it to these values. */
  public void install(String... values) {
    var arguments =
        new ArrayList<>(
            List.of(
                "upgrade",
                "--install",
                "pointsman",
                Path.of("helm", "pointsman").toString(),
                "--namespace",
                NAMESPACE,
                "--create-namespace",
                "--set",
                ProductImage.VALUES,
                "--wait",
                "--timeout",
                "3m"));
    Arrays.stream(values).forEach(value -> arguments.addAll(List.of("--set", value)));
    check(lab.helm(arguments.toArray(String[]::new)));
  }

  /** Runs a command as a process of the node and returns its output; fails with what it printed. */
  public String onNode(String node, String... command) {
    return check(lab.node(node).exec(command));
  }

  private static String check(CommandResult result) {
    return result.check().out();
  }

  @Override
  public void close() {
    lab.close();
  }
}
