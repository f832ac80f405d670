// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

@OnSharedApiServer
class ApiServerTest {
  @Test
  void servesTheProjectsResources() {
    try (var api = RestClient.of(ApiServer.shared())) {
      assertThat(api.get("/version").get("gitVersion").asText()).isEqualTo("v1.36.3");
      assertThat(api.get("/apis/pointsman.io/v1alpha1/proxydataplanes").get("items")).isEmpty();
    }
  }

  @Test
  void isNotStartedBeforeItsOwnServiceIsThere() {
    try (var server = ApiServer.startEmpty();
        var client = server.client()) {
      assertThat(client.services().inNamespace("default").withName("kubernetes").get()).isNotNull();
    }
  }

  @Test
  void userHasOnlyTheRightsThatRbacGives() {
    try (var alice = ApiServer.shared().clientAs("alice", "people")) {
      assertThatThrownBy(() -> alice.pods().inNamespace("default").list())
          .hasMessageContaining("User \"alice\" cannot list resource \"pods\"");
    }
  }

  @Test
  void endsWithAJvmThatIsKilled() throws IOException, InterruptedException {
    Path pids = Files.createTempFile("pids", ".txt");
    try {
      Process jvm = startServerInAnotherJvm(pids);
      Awaitility.await()
          .atMost(Duration.ofSeconds(120))
          .until(() -> !jvm.isAlive() || Files.readString(pids).endsWith("\n"));
      List<ProcessHandle> children =
          Files.readString(pids)
              .lines()
              .map(pid -> ProcessHandle.of(Long.parseLong(pid)).orElseThrow())
              .toList();
      assertThat(children).hasSize(2).allMatch(ProcessHandle::isAlive);

      jvm.destroyForcibly().waitFor(10, TimeUnit.SECONDS);

      Awaitility.await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> children.stream().noneMatch(ProcessHandle::isAlive));
    } finally {
      Files.delete(pids);
    }
  }

  private static Process startServerInAnotherJvm(Path pids) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return new ProcessBuilder(
            java,
            "-cp",
            System.getProperty("java.class.path"),
            Holder.class.getName(),
            pids.toString())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.DISCARD)
        .directory(Project.folder().toFile())
        .start();
  }

  /** The other JVM: starts a server, tells its processes, and waits to be killed. */
  static final class Holder {
    private Holder() {}

    /** Ends only when it is killed. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
      var server = ApiServer.start();
      String text = String.join("\n", server.pids().stream().map(String::valueOf).toList());
      Files.writeString(Path.of(arguments[0]), text + "\n");
      Thread.currentThread().join();
    }
  }
}
