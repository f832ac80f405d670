// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A Kubernetes cluster of several nodes on this machine. Bringing it up and down needs root.
 *
 * <p>Safe for use by one thread at a time.
 */
public final class Lab implements AutoCloseable {
  private static final int SECONDS_TO_READY = 180;

  private LabState state;
  private final Namespaces namespaces;
  private final KubernetesClient kubernetes;
  private final Consumer<String> progress;

  private Lab(LabState state, Consumer<String> progress) {
    this.state = state;
    this.namespaces = new Namespaces(state);
    this.progress = progress;
    this.kubernetes = PatientClient.of(kubeconfig());
  }

  /** As {@link #up(LabOptions, Consumer)}, in silence. */
  public static Lab up(LabOptions options) {
    return up(options, step -> {});
  }

  /**
   * Brings a lab up, after clearing away what an earlier one of that name left. Returns when all
   * nodes are Ready and kube-proxy and CoreDNS serve.
   *
   * @param progress is told each step, in a person's words
   * @throws LabException when it cannot be brought up; what was begun is taken away again
   */
  public static Lab up(LabOptions options, Consumer<String> progress) {
    requireRoot();
    progress.accept("clearing away what an earlier lab '%s' left".formatted(options.name()));
    Cleanup.clear(options.name());
    try {
      return new LabStart(options, progress).run();
    } catch (RuntimeException e) {
      undo(options.name());
      throw e;
    }
  }

  /** Takes away what was begun, unless POINTSMAN_LAB_KEEP is set for a look at what went wrong. */
  static void undo(String name) {
    if (System.getenv("POINTSMAN_LAB_KEEP") == null) {
      Cleanup.clear(name);
    }
  }

  /**
   * The lab of that name, which some other process brought up.
   *
   * @throws LabException when it is not up
   */
  public static Lab attach(String name) {
    requireRoot();
    return new Lab(LabState.load(name), step -> {});
  }

  /** Takes away the lab of that name and all it left, also when it was killed half-way. */
  public static void down(String name) {
    requireRoot();
    Cleanup.clear(LabOptions.named(name).name());
  }

  static Lab of(LabState state, Consumer<String> progress) {
    return new Lab(state, progress);
  }

  /** Its name. */
  public String name() {
    return state.options().name();
  }

  /** The administrator's kubeconfig; it works from the machine's own network namespace. */
  public Path kubeconfig() {
    return state.folder().resolve("kubeconfig");
  }

  /** A client with an administrator's rights; closed with the lab. */
  public KubernetesClient kubernetes() {
    return kubernetes;
  }

  /** Its nodes, also those that are stopped. */
  public List<Node> nodes() {
    return state.nodes().stream().map(number -> new Node(state, namespaces, number)).toList();
  }

  /**
   * The node of that name.
   *
   * @throws LabException when there is none
   */
  public Node node(String name) {
    return nodes().stream()
        .filter(node -> node.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new LabException(
                    "lab '%s' has no node '%s': it has %s"
                        .formatted(name(), name, String.join(", ", names()))));
  }

  private List<String> names() {
    return nodes().stream().map(Node::name).toList();
  }

  /** The client outside the cluster. */
  public Client client() {
    return new Client(state, namespaces);
  }

  /** Starts one more node, which joins the cluster; returns when it is Ready and has kube-proxy. */
  public Node addNode() {
    var number = state.nodes().stream().max(Comparator.naturalOrder()).orElse(0) + 1;
    var numbers = new ArrayList<>(state.nodes());
    numbers.add(number);
    state = state.withNodes(numbers);
    var node = new Node(state, namespaces, number);
    state.save();
    node.boot();
    routes().all(nodes());
    node.loadImages();
    Addons.register(kubernetes, node);
    node.startKubelet();
    awaitReady(running().size());
    return node;
  }

  /** Takes a node with its pods out of the cluster and stops it. */
  public void removeNode(String name) {
    var node = node(name);
    kubernetes.nodes().withName(name).delete();
    kubernetes.pods().inAnyNamespace().withField("spec.nodeName", name).withGracePeriod(0).delete();
    node.stop();
    routes().remove(node.number(), nodes());
    state = state.withNodes(state.nodes().stream().filter(n -> n != node.number()).toList());
    state.save();
    Command.run(List.of("rm", "-rf", "--one-file-system", node.folder().toString())).check();
  }

  /** Starts a stopped node again; as {@link Node#start()}. */
  public void startNode(String name) {
    node(name).start();
  }

  /** Puts a docker-archive into containerd of all nodes, and of those that are added later. */
  public void loadImage(Path dockerArchive) {
    Images.keep(dockerArchive, state.folder());
    parallel(running(), Node::loadImages);
  }

  private List<Node> running() {
    return nodes().stream().filter(Node::running).toList();
  }

  /** Runs kubectl as administrator. */
  public CommandResult kubectl(String... arguments) {
    return tool("kubectl", arguments);
  }

  /** Runs Helm as administrator. */
  public CommandResult helm(String... arguments) {
    return tool("helm", arguments);
  }

  /** The folder of the lab's programs: kubectl, helm, ctr, traffic and the rest. */
  public Path binaries() {
    return state.binaries();
  }

  private CommandResult tool(String program, String... arguments) {
    var command = new ArrayList<>(List.of(state.binaries().resolve(program).toString()));
    command.add("--kubeconfig=" + kubeconfig());
    command.addAll(List.of(arguments));
    return Command.run(command);
  }

  Routes routes() {
    return new Routes(namespaces, client());
  }

  void awaitReady(int nodes) {
    if (!Processes.await(SECONDS_TO_READY, () -> serves(nodes))) {
      var pods = kubectl("get", "nodes,pods", "-A", "-o", "wide");
      throw new LabException(
          "the cluster does not get ready:%n%s%n%sLogs are in %s"
              .formatted(pods.out() + pods.err(), lastWords(), state.folder()));
    }
  }

  /** The ends of the kubelets' logs, because the logs go with a lab that did not come up. */
  private String lastWords() {
    return nodes().stream()
        .map(node -> Command.run(List.of("tail", "-n", "20", node.folder() + "/kubelet.log")).out())
        .collect(Collectors.joining("\n"));
  }

  private boolean serves(int nodes) {
    try {
      return Addons.ready(kubernetes, nodes);
    } catch (KubernetesClientException e) {
      // The API server closes connections while it starts: the next round asks again.
      return false;
    }
  }

  /** Whether the API server says of itself that it is ready. */
  boolean answers() {
    try {
      return "ok".equals(kubernetes.raw("/readyz"));
    } catch (KubernetesClientException e) {
      return false;
    }
  }

  static void parallel(List<Node> nodes, Consumer<Node> work) {
    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      var all =
          nodes.stream()
              .map(node -> CompletableFuture.runAsync(() -> work.accept(node), threads))
              .toList();
      all.forEach(Lab::join);
    }
  }

  /** Waits for {@code work} and throws what it threw. */
  static void join(CompletableFuture<Void> work) {
    try {
      work.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof LabException cause ? cause : e;
    }
  }

  /** Takes the lab away. */
  @Override
  public void close() {
    kubernetes.close();
    Cleanup.clear(name());
  }

  /** Lets go of the lab without taking it away: others can {@link #attach(String)}. */
  public void detach() {
    kubernetes.close();
  }

  private static void requireRoot() {
    if (!"root".equals(System.getProperty("user.name"))) {
      throw new LabException("the lab makes namespaces and cgroups: run it as root");
    }
  }

  static List<Integer> numbers(int nodes) {
    return IntStream.rangeClosed(1, nodes).boxed().toList();
  }
}
