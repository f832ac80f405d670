// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.Lab;
import io.pointsman.testing.Programs;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

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

  /** By the node's containerd: what runs in the pod outlives the API server's silence. */
  @Override
  public List<String> inPod(String pod, List<String> command) {
    var where = "jsonpath={.spec.nodeName} {.status.containerStatuses[0].containerID}";
    var found = run("kubectl", List.of("get", "pod", pod, "-o", where)).split(" containerd://");
    var line =
        new ArrayList<>(
            List.of(
                Programs.path("ctr").toString(),
                "--namespace=k8s.io",
                "tasks",
                "exec",
                "--exec-id=" + UUID.randomUUID(),
                found[1]));
    line.addAll(command);
    return up.node(found[0]).command(line.toArray(String[]::new));
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
