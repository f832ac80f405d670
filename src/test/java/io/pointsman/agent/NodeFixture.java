// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import io.pointsman.catalogue.Objects;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.SyncResult;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.dataplane.bpf.BpfOptions;
import io.pointsman.dataplane.iptables.IptablesDataplane;
import io.pointsman.dataplane.iptables.IptablesOptions;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.testing.ApiServer;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * A node of a test's own: a resource on a real API server, and a kernel sandbox that a real BPF
 * dataplane and real netfilter tables are in. The operator's part is played by the test.
 */
final class NodeFixture implements AutoCloseable {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  final KernelSandbox sandbox = new KernelSandbox();
  final KubernetesClient client;
  final SimpleMeterRegistry meters = new SimpleMeterRegistry();

  /** What every preparation wrote, in order. */
  final List<SyncResult> preparations = new CopyOnWriteArrayList<>();

  /** Whether what serves while kube-proxy starts cannot be written. */
  volatile boolean breakStandIn;

  /** What the kernel refuses BPF with; null when it takes it. */
  volatile @Nullable DataplaneException refusal;

  /** What BPF's calls come through. */
  final FaultyKernel kernel = new FaultyKernel();

  /** What BPF is said to have left in the kernel, beside what is there. */
  volatile List<String> left = List.of();

  /** What stands before the commands that the agent itself runs. */
  volatile List<String> before = List.of();

  private final String name;
  private final BpfOptions bpf;
  private @Nullable Agent agent;

  NodeFixture(ApiServer server, String name) {
    this.name = name;
    this.client = server.client();
    this.bpf =
        BpfOptions.defaults()
            .pinnedUnder(sandbox.bpffs().resolve("pointsman"))
            .on(sandbox.cgroup());
  }

  /** Creates a Service of one port, with this address and one endpoint. */
  void createService(String service, String vip, String endpoint) {
    client.services().inNamespace("default").resource(Objects.service(service, vip)).create();
    client.resource(Objects.slice(service, service, Objects.ready(endpoint))).create();
  }

  void deleteService(String service) {
    client.services().inNamespace("default").withName(service).delete();
    client.discovery().v1().endpointSlices().inNamespace("default").withName(service).delete();
  }

  /** Runs commands where the node's netfilter tables are. */
  CommandRunner commands() {
    return new CommandRunner(List.of("ip", "netns", "exec", sandbox.namespace()));
  }

  private CommandRunner agentsCommands() {
    List<String> prefix = new ArrayList<>(List.of("ip", "netns", "exec", sandbox.namespace()));
    prefix.addAll(before);
    return new CommandRunner(prefix);
  }

  /** Starts an agent that talks to the API server by this client, which it closes. */
  Agent startAgent(KubernetesClient api) {
    AgentOptions options =
        new AgentOptions(
            name, sandbox.bpffs(), Optional.of(sandbox.cgroup()), Path.of("/nowhere"), "test");
    Agent started =
        new Agent(options, api, dataplanes(), this::agentsStandIn, agentsCommands(), meters);
    started.start();
    agent = started;
    return started;
  }

  /** Ends the agent as a crash would: nothing is taken out of the kernel. */
  void stopAgent() {
    if (agent != null) {
      agent.close();
      agent = null;
    }
  }

  private Map<LinuxDataplane, DataplaneSettings.Factory> dataplanes() {
    return Map.of(
        LinuxDataplane.BPF,
        settings -> kernel.under(FaultyKernel.refusing(() -> refusal, () -> left, open(settings))),
        LinuxDataplane.IPTABLES,
        settings -> inside(new IptablesDataplane(iptables(), settings)));
  }

  /** What serves while kube-proxy starts. */
  private Dataplane standIn(DataplaneSettings settings) {
    return inside(new IptablesDataplane(iptables().standingIn(), settings));
  }

  private Dataplane agentsStandIn(DataplaneSettings settings) {
    return FaultyKernel.refusing(
        () -> breakStandIn ? new DataplaneException("prepare: no such table", null) : null,
        List::of,
        standIn(settings));
  }

  /** Where that is in the kernel. */
  Dataplane.Phase standInPhase() {
    try (Dataplane dataplane = standIn(DataplaneSettings.DEFAULTS)) {
      return dataplane.phase();
    }
  }

  private IptablesOptions iptables() {
    return new IptablesOptions(commands(), Optional.empty(), List.of());
  }

  /** The BPF dataplane of this node. */
  Dataplane open(DataplaneSettings settings) {
    return inside(new BpfDataplane(bpf, settings));
  }

  /** Makes every call inside the node's namespace. */
  private Dataplane inside(Dataplane real) {
    return FaultyKernel.dataplane(
        (proxy, method, arguments) -> {
          Object result =
              sandbox.inNamespace(
                  () -> {
                    try {
                      return Optional.ofNullable(method.invoke(real, arguments));
                    } catch (InvocationTargetException e) {
                      if (e.getCause() instanceof Exception cause) {
                        throw cause;
                      }
                      throw e;
                    }
                  });
          Object value = ((Optional<?>) result).orElse(null);
          if (method.getName().equals("prepare") && value instanceof SyncResult written) {
            preparations.add(written);
          }
          return value;
        });
  }

  /** Where BPF is in the kernel. */
  Dataplane.Phase phase() {
    return phase(LinuxDataplane.BPF);
  }

  /** Where a dataplane is in the kernel. */
  Dataplane.Phase phase(LinuxDataplane kind) {
    try (Dataplane dataplane = open(kind)) {
      return dataplane.phase();
    }
  }

  /** What a dataplane that is in the kernel serves, by frontend. */
  Map<String, List<String>> served(LinuxDataplane kind) {
    return switch (kind) {
      case BPF -> PinnedMaps.read(sandbox.bpffs().resolve("pointsman"));
      case IPTABLES -> text(sandbox.inNamespace(() -> IptablesDataplane.readRules(iptables())));
      case IPVS, NFTABLES -> throw new IllegalArgumentException("not here: " + kind);
    };
  }

  private static Map<String, List<String>> text(KernelState state) {
    Map<String, List<String>> served = new TreeMap<>();
    state.forEach(
        (address, port, protocol, backends) ->
            served.put(
                address + ":" + port,
                backends.stream().map(to -> to.address() + ":" + to.port()).toList()));
    return served;
  }

  private Dataplane open(LinuxDataplane kind) {
    return requireNonNull(dataplanes().get(kind)).open(DataplaneSettings.DEFAULTS);
  }

  /** The operator asks for a step. */
  void ask(Step step, @Nullable KubeProxyState kubeProxy) {
    change(
        spec -> {
          spec.step = step;
          spec.kubeProxy = kubeProxy;
        });
  }

  private boolean edited(Consumer<NodeDataplane> change) {
    client
        .resource(requireNonNull(resource()))
        .edit(
            edited -> {
              change.accept(edited);
              return edited;
            });
    return true;
  }

  /** The operator writes what is there already; the agent writes its status at any time. */
  void edit(Consumer<NodeDataplane> change) {
    await()
        .atMost(PATIENCE)
        .ignoreExceptionsMatching(
            e -> e instanceof KubernetesClientException refused && refused.getCode() == 409)
        .until(() -> edited(change));
  }

  /** All of a dataplane goes out of the kernel, as in a reboot; only while no agent runs. */
  void lose(LinuxDataplane kind) {
    try (Dataplane dataplane = open(kind)) {
      dataplane.remove();
    }
  }

  /** The operator writes the spec. */
  void change(Consumer<NodeDataplaneSpec> change) {
    NodeDataplane resource = resource();
    if (resource == null) {
      NodeDataplane fresh = new NodeDataplane();
      fresh.getMetadata().setName(name);
      NodeDataplaneSpec spec = new NodeDataplaneSpec();
      spec.proxyDataplane = "default";
      spec.linuxDataplane = LinuxDataplane.BPF;
      spec.verification.intervalSeconds = 5;
      spec.drainSeconds = 1;
      change.accept(spec);
      fresh.setSpec(spec);
      fresh.setStatus(null);
      client.resource(fresh).create();
    } else {
      edit(edited -> change.accept(edited.getSpec()));
    }
  }

  @Nullable NodeDataplane resource() {
    return client.resources(NodeDataplane.class).withName(name).get();
  }

  /** The agent's answer to the newest spec, or an empty one. */
  NodeDataplaneStatus answer() {
    return answer(resource());
  }

  private static NodeDataplaneStatus answer(@Nullable NodeDataplane resource) {
    if (resource == null
        || resource.getStatus() == null
        || !resource
            .getMetadata()
            .getGeneration()
            .equals(resource.getStatus().observedGeneration)) {
      return new NodeDataplaneStatus();
    }
    return resource.getStatus();
  }

  /** Completes with the first of the agent's answers that is so, however soon another follows. */
  CompletableFuture<?> onceAnswered(Predicate<NodeDataplaneStatus> wanted) {
    return client
        .resources(NodeDataplane.class)
        .withName(name)
        .informOnCondition(nodes -> nodes.stream().map(NodeFixture::answer).anyMatch(wanted));
  }

  /** Waits until the agent has done the step; fails when it says that it failed. */
  NodeDataplaneStatus awaitDone(Step step) {
    await()
        .atMost(PATIENCE)
        .until(
            () -> {
              NodeDataplaneStatus status = answer();
              assertThat(status.result)
                  .as("%s: %s", status.reason, status.message)
                  .isNotEqualTo(StepResult.FAILED);
              return status.step == step && status.result == StepResult.DONE;
            });
    return answer();
  }

  @Override
  public void close() {
    stopAgent();
    try (Dataplane dataplane = open(DataplaneSettings.DEFAULTS)) {
      dataplane.remove();
    } finally {
      client.resources(NodeDataplane.class).withName(name).delete();
      client.close();
      sandbox.close();
    }
  }
}
