// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.OnSharedApiServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@OnSharedApiServer
class ApiServersTest {
  private static final URI SERVICE = URI.create("https://10.96.0.1:443");

  @TempDir private Path folder = Path.of("");

  @Test
  void withoutAFileTheServiceIsAsked() {
    ApiServers servers = new ApiServers(folder.resolve("servers"), SERVICE);
    assertThat(servers.servers()).containsExactly(SERVICE);
  }

  @Test
  void theFileComesFirstAndWrongLinesAreLeftOut() throws IOException {
    Path file = folder.resolve("servers");
    Files.writeString(
        file,
        "https://192.0.2.1:6443\n\nhttp://192.0.2.2\nnonsense here\nhttps://[2001:db8::1]:6443\n");
    ApiServers servers = new ApiServers(file, SERVICE);
    assertThat(servers.servers())
        .containsExactly(
            URI.create("https://192.0.2.1:6443"),
            URI.create("https://[2001:db8::1]:6443"),
            SERVICE);
    assertThat(servers.server()).isEqualTo(URI.create("https://192.0.2.1:6443"));
  }

  @Test
  void aServerThatDoesNotAnswerIsLeftForOneThatDoes() throws IOException {
    Path file = folder.resolve("servers");
    Files.writeString(file, "https://127.0.0.1:1\n" + ApiServer.shared().url() + "\n");
    AgentOptions options =
        new AgentOptions("node-1", Path.of("/sys/fs/bpf"), Optional.empty(), file, "test");
    try (KubernetesClient template = ApiServer.shared().client();
        KubernetesClient client =
            Agent.client(
                options,
                new KubernetesClientBuilder(),
                new ConfigBuilder(template.getConfiguration())
                    .withMasterUrl(SERVICE.toString())
                    .build())) {
      await()
          .atMost(Duration.ofSeconds(60))
          .ignoreExceptions()
          .until(() -> client.namespaces().withName("default").get() != null);
      CountDownLatch seen = new CountDownLatch(1);
      try (Watch watch = client.namespaces().watch(new Seen(seen))) {
        assertThat(watch).isNotNull();
        await().atMost(Duration.ofSeconds(60)).until(() -> seen.getCount() == 0);
      }
    }
  }

  private record Seen(CountDownLatch latch) implements Watcher<Namespace> {
    @Override
    public void eventReceived(Action action, Namespace namespace) {
      latch.countDown();
    }

    @Override
    public void onClose(WatcherException cause) {}
  }
}
