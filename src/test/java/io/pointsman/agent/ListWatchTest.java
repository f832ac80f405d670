// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.pointsman.catalogue.ObjectKey;
import io.pointsman.testing.ApiServer;
import io.pointsman.testing.DeadConnections;
import io.pointsman.testing.OnSharedApiServer;
import java.io.IOException;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Lists in pages and watches on a real API server. */
@OnSharedApiServer
class ListWatchTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final String LABEL = "list-watch-test";

  private final KubernetesClient client = ApiServer.shared().client();
  private final Seen seen = new Seen();

  @AfterEach
  void clear() {
    client.configMaps().inNamespace("default").withLabel(LABEL).delete();
    client.close();
  }

  @Test
  void everyPageIsListedAndEveryChangeFollows() {
    int pageAndMore = 520;
    for (int i = 0; i < pageAndMore; i++) {
      client.resource(map("map-" + i)).create();
    }
    try (ListWatch<ConfigMap> watch =
        new ListWatch<>(
            "configmaps",
            client.configMaps().inAnyNamespace(),
            new ListOptionsBuilder().withLabelSelector(LABEL).build(),
            seen)) {
      watch.start();
      await().atMost(PATIENCE).until(() -> seen.lists.get() == 1);
      assertThat(seen.names).hasSize(pageAndMore);
      client.resource(map("later")).create();
      await().atMost(PATIENCE).until(() -> seen.names.contains("later"));
      client.resource(map("later")).delete();
      await().atMost(PATIENCE).until(() -> !seen.names.contains("later"));
      assertThat(seen.lists).as("what is watched need not be listed again").hasValue(1);
    }
  }

  /** Of an API server that lost its power nothing is heard any more, not even an end. */
  @Test
  void aConnectionThatDiedIsNoticedAndNothingIsListedAgain() throws IOException {
    client.resource(map("there")).create();
    Config through = new ConfigBuilder(client.getConfiguration()).build();
    try (var way = new DeadConnections(ApiServer.shared().url())) {
      through.setMasterUrl(way.url());
      try (KubernetesClient agents = new KubernetesClientBuilder().withConfig(through).build();
          ListWatch<ConfigMap> watch =
              new ListWatch<>(
                  "configmaps",
                  agents.configMaps().inAnyNamespace(),
                  new ListOptionsBuilder().withLabelSelector(LABEL).build(),
                  seen,
                  Duration.ofSeconds(3))) {
        watch.start();
        await().atMost(PATIENCE).until(() -> seen.lists.get() == 1);
        client.resource(map("before")).create();
        await().atMost(PATIENCE).until(() -> seen.names.contains("before"));
        way.die();
        client.resource(map("after")).create();
        client.resource(map("before")).delete();

        await().atMost(PATIENCE).until(() -> seen.names, Set.of("there", "after")::equals);
        assertThat(seen.lists).hasValue(1);
      }
    }
  }

  private static ConfigMap map(String name) {
    return new ConfigMapBuilder()
        .withNewMetadata()
        .withNamespace("default")
        .withName(LABEL + "-" + name)
        .addToLabels(LABEL, "")
        .endMetadata()
        .build();
  }

  private static final class Seen implements ListWatch.Sink<ConfigMap> {
    private final Set<String> names = new ConcurrentSkipListSet<>();
    private final AtomicInteger lists = new AtomicInteger();

    @Override
    public void changed(ConfigMap object) {
      names.add(object.getMetadata().getName().substring(LABEL.length() + 1));
    }

    @Override
    public void deleted(ConfigMap object) {
      names.remove(object.getMetadata().getName().substring(LABEL.length() + 1));
    }

    @Override
    public void listed(Set<ObjectKey> all) {
      assertThat(all).hasSize(names.size());
      lists.incrementAndGet();
    }
  }
}
