// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.Lab;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A lab that the test brought up. */
record LabPlace(Lab up) implements Place {
  @Override
  public Path kubeconfig() {
    return up.kubeconfig();
  }

  @Override
  public String onNode(String node, List<String> command) {
    return up.node(node).exec(command.toArray(String[]::new)).check().out();
  }

  @Override
  public Optional<Lab> lab() {
    return Optional.of(up);
  }

  @Override
  public void close() {
    up.close();
  }
}
