// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.dataplane.bpf.BpfOptions;
import io.pointsman.dataplane.iptables.IptablesDataplane;
import io.pointsman.dataplane.iptables.IptablesOptions;
import io.pointsman.dataplane.ipvs.IpvsDataplane;
import io.pointsman.dataplane.ipvs.IpvsOptions;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.DeviceMonitor;
import java.net.URI;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * The agent of one node. {@link #start} returns at once; the kernel serves as it was found until
 * the API server is reached. {@link #close} leaves everything in the kernel as it is.
 */
public final class Agent implements AutoCloseable {
  private static final int API_TIMEOUT_MILLIS = 10_000;
  private static final int API_RETRIES = 4;
  private static final long CLOSE_SECONDS = 10;

  private final AgentOptions options;
  private final KubernetesClient client;
  private final Kernel kernel;
  private final AgentHealth health = new AgentHealth();
  private final Inbox inbox = new Inbox();
  private final Chores chores;
  private final StatusWriter writer;
  private final SyncThread sync;
  private final Thread thread;
  private final Watches watches;
  private final AtomicReference<@Nullable String> uid = new AtomicReference<>();
  private @Nullable DeviceMonitor devices;

  /**
   * Puts an agent together; nothing happens before {@link #start} but that the dataplane is opened.
   *
   * @param client is closed with the agent
   * @param standIn opens what serves while kube-proxy starts (ADR 8)
   */
  public Agent(
      AgentOptions options,
      KubernetesClient client,
      Map<LinuxDataplane, DataplaneSettings.Factory> dataplanes,
      DataplaneSettings.Factory standIn,
      CommandRunner commands,
      MeterRegistry meters) {
    this.options = options;
    this.client = client;
    this.chores = new Chores(commands, inbox, options.bpffs());
    this.writer = new StatusWriter(client, options.nodeName());
    Catalogue catalogue = Catalogue.forNode(options.nodeName());
    AgentMetrics metrics = new AgentMetrics(meters);
    this.kernel = new Kernel(dataplanes, standIn, catalogue, metrics);
    Reporter reporter =
        new Reporter(options.version(), catalogue, kernel, writer::write, System::nanoTime);
    this.sync =
        new SyncThread(
            new SyncThread.Parts(inbox, catalogue, kernel, metrics, reporter, chores),
            health,
            NodeAddresses::ofNode,
            (reason, note) -> writer.tell("Warning", reason, note, uid.get()));
    this.thread = Thread.ofPlatform().name("sync").unstarted(sync);
    this.watches = new Watches(client, options.nodeName(), inbox, this::target);
  }

  /**
   * A client that tries the API servers of the options' file before the Service's address.
   *
   * @param builder carries the process's event loop
   */
  public static KubernetesClient client(AgentOptions options, KubernetesClientBuilder builder) {
    return client(options, builder, Config.autoConfigure(null));
  }

  /** The same with credentials and a last address of one's own. */
  static KubernetesClient client(
      AgentOptions options, KubernetesClientBuilder builder, Config base) {
    Config config =
        new ConfigBuilder(base)
            .withConnectionTimeout(API_TIMEOUT_MILLIS)
            .withRequestTimeout(3 * API_TIMEOUT_MILLIS)
            // Another server is chosen between two tries, so there must be some.
            .withRequestRetryBackoffLimit(API_RETRIES)
            .build();
    ApiServers servers = new ApiServers(options.apiServers(), URI.create(config.getMasterUrl()));
    return builder
        .withConfig(config)
        .withHttpClientBuilderConsumer(
            http -> http.addOrReplaceInterceptor("pointsman-api-servers", servers))
        .build();
  }

  /** Opens each dataplane at the places that the options name. */
  public static Map<LinuxDataplane, DataplaneSettings.Factory> dataplanes(AgentOptions options) {
    BpfOptions pinned = BpfOptions.defaults().pinnedUnder(options.bpffs().resolve("pointsman"));
    BpfOptions placed = options.cgroup().map(pinned::on).orElse(pinned);
    return Map.of(
        LinuxDataplane.IPTABLES,
        settings -> iptables(IptablesOptions.defaults(), settings),
        LinuxDataplane.IPVS,
        settings ->
            new IpvsDataplane(
                IpvsOptions.defaults().localTo(settings.clusterRanges()).as(settings.ipvs()),
                settings),
        LinuxDataplane.BPF,
        settings -> new BpfDataplane(placed, settings));
  }

  /** Opens what serves while kube-proxy starts: the Iptables dataplane under names of its own. */
  public static DataplaneSettings.Factory standIn() {
    return settings -> iptables(IptablesOptions.defaults().standingIn(), settings);
  }

  private static IptablesDataplane iptables(IptablesOptions options, DataplaneSettings settings) {
    return new IptablesDataplane(options.localTo(settings.clusterRanges()), settings);
  }

  /** Begins to work. */
  public void start() {
    thread.start();
    watches.start();
    devices = new DeviceMonitor(() -> inbox.post(sync::refreshAddresses));
  }

  /** What the kubelet is told. */
  public AgentHealth health() {
    return health;
  }

  /** What the live probe of other nodes and of this one is answered with. */
  public String probeAnswer() {
    return options.nodeName();
  }

  private void target(@Nullable NodeDataplane resource) {
    uid.set(resource == null ? null : resource.getMetadata().getUid());
    sync.target(resource);
  }

  @Override
  public void close() {
    if (devices != null) {
      devices.close();
    }
    watches.close();
    sync.stop();
    try {
      thread.join(TimeUnit.SECONDS.toMillis(CLOSE_SECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    chores.close();
    writer.close();
    kernel.close();
    client.close();
  }
}
