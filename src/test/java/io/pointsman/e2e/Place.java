// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.Lab;
import io.pointsman.testing.Programs;
import io.pointsman.testing.Project;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** What differs between the clusters that tests run on. */
interface Place extends AutoCloseable {
  /** The administrator's kubeconfig. */
  Path kubeconfig();

  /** The images that its nodes can start. */
  default TestImages images() {
    return TestImages.LOADED;
  }

  /** Runs a command as a process of the node and returns its output; fails with what it printed. */
  String onNode(String node, List<String> command);

  /** The command line that runs {@code command} in a pod, as a process whose input is its own. */
  default List<String> inPod(String pod, List<String> command) {
    var line =
        new ArrayList<>(
            List.of(
                Programs.path("kubectl").toString(),
                "--kubeconfig=" + kubeconfig(),
                "exec",
                "-i",
                pod,
                "--"));
    line.addAll(command);
    return line;
  }

  /** The lab, when it is one. */
  default Optional<Lab> lab() {
    return Optional.empty();
  }

  /** Runs kubectl or helm as administrator and returns its output; fails with what it printed. */
  default String run(String program, List<String> arguments) {
    var all = new ArrayList<>(List.of("--kubeconfig=" + kubeconfig()));
    all.addAll(arguments);
    var ended = Programs.run(program, all);
    if (ended.exit() != 0) {
      throw new IllegalStateException(
          "'%s %s' ended with %d: %s%s"
              .formatted(
                  program, String.join(" ", arguments), ended.exit(), ended.err(), ended.out()));
    }
    return ended.out();
  }

  /** Applies a file of src/test/resources/e2e, with the images that this cluster has. */
  default void apply(String file) {
    apply(file, UnaryOperator.identity());
  }

  /** The same with changes of the manifest. */
  default void apply(String file, UnaryOperator<String> changes) {
    var text = changes.apply(images().in(Project.read("src/test/resources/e2e/" + file)));
    try {
      var manifests = Files.createTempFile(Project.folder().resolve("target"), "e2e-", ".yaml");
      Files.writeString(manifests, text);
      run("kubectl", List.of("apply", "-f", manifests.toString()));
      Files.delete(manifests);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  void close();
}
