// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.ConfigBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A real etcd and kube-apiserver on loopback with the project's CRDs, and nothing else: no
 * controllers, no scheduler, no nodes. It ends with the JVM, even when that is killed.
 *
 * <p>{@link #shared()} is one server for all tests of the JVM: a test names its objects so that
 * they are its own, and deletes what is seen by others. {@link #start()} is one to spoil.
 */
public final class ApiServer implements AutoCloseable {
  private static final int ATTEMPTS = 3;

  private final Path folder;
  private final ControlPlane controlPlane;

  private ApiServer(Path folder, ControlPlane controlPlane) {
    this.folder = folder;
    this.controlPlane = controlPlane;
  }

  /** The server that the tests of this JVM share; started by the first who asks. */
  public static ApiServer shared() {
    return Shared.SERVER;
  }

  /**
   * Starts a server of one's own.
   *
   * @throws IllegalStateException when it does not become ready, with the end of its log
   */
  public static ApiServer start() {
    var server = startEmpty();
    server.applyCrds();
    return server;
  }

  /** As {@link #start()}, without the project's CRDs. */
  public static ApiServer startEmpty() {
    Path folder = ServerFolders.create();
    for (int attempt = 1; ; attempt++) {
      try {
        return new ApiServer(folder, ControlPlane.start(folder));
      } catch (ControlPlane.PortTakenException e) {
        // Free ports are looked up before they are used, so another process may be faster.
        if (attempt == ATTEMPTS) {
          throw new IllegalStateException("no free port found: try again", e);
        }
      }
    }
  }

  /** The server's address. */
  public String url() {
    return controlPlane.url();
  }

  /** A new HTTP client that trusts the server. */
  HttpClient http() {
    return controlPlane.http();
  }

  /** A client of the group system:masters, to be closed by the caller. */
  public KubernetesClient client() {
    return client(config().build());
  }

  /** A client of a user with groups, who has the rights that RBAC gives, and no others. */
  public KubernetesClient clientAs(String user, String... groups) {
    return client(config().withImpersonateUsername(user).withImpersonateGroups(groups).build());
  }

  /** A client of a user with extra attributes, as bound service account tokens have them. */
  public KubernetesClient clientAs(
      String user, List<String> groups, Map<String, List<String>> extras) {
    return client(
        config()
            .withImpersonateUsername(user)
            .withImpersonateGroups(groups.toArray(String[]::new))
            .withImpersonateExtras(extras)
            .build());
  }

  /** A client that shows a bearer token. */
  public KubernetesClient clientWithToken(String token) {
    return client(config().withOauthToken(token).build());
  }

  /** A kubeconfig file of the group system:masters, for kubectl and helm. */
  public Path kubeconfig() {
    return folder.resolve("kubeconfig");
  }

  /** The process ids of etcd and kube-apiserver. */
  public List<Long> pids() {
    return controlPlane.pids();
  }

  /**
   * Does what needs the server.
   *
   * @throws IllegalStateException when it fails and the server has ended, with the end of its log
   */
  public <T> T whileItRuns(Supplier<T> work) {
    try {
      return work.get();
    } catch (RuntimeException e) {
      if (!controlPlane.alive()) {
        throw new IllegalStateException("the API server ended: " + controlPlane.lastWords(), e);
      }
      throw e;
    }
  }

  @Override
  public void close() {
    controlPlane.close();
    ServerFolders.delete(folder);
  }

  private void applyCrds() {
    try (var client = client();
        var files = Files.list(Project.folder().resolve("crds"))) {
      for (Path file : files.sorted(Comparator.naturalOrder()).toList()) {
        applyCrd(client, Files.readString(file));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void applyCrd(KubernetesClient client, String yaml) {
    var crd = client.getKubernetesSerialization().unmarshal(yaml, CustomResourceDefinition.class);
    var crds = client.apiextensions().v1().customResourceDefinitions();
    crds.resource(crd).create();
    crds.withName(crd.getMetadata().getName())
        .waitUntilCondition(ApiServer::established, 30, TimeUnit.SECONDS);
  }

  private static boolean established(CustomResourceDefinition crd) {
    return crd != null
        && crd.getStatus() != null
        && crd.getStatus().getConditions() != null
        && crd.getStatus().getConditions().stream()
            .anyMatch(it -> it.getType().equals("Established") && it.getStatus().equals("True"));
  }

  private ConfigBuilder config() {
    return new ConfigBuilder(Config.empty())
        .withMasterUrl(url())
        .withCaCertFile(controlPlane.certificate().toString())
        .withOauthToken(ControlPlane.TOKEN)
        .withRequestRetryBackoffLimit(0);
  }

  private static KubernetesClient client(Config config) {
    return new KubernetesClientBuilder().withConfig(config).build();
  }

  /** Started when it is first asked for; ended by a hook, or by the kernel. */
  private static final class Shared {
    static final ApiServer SERVER = start();

    static {
      Runtime.getRuntime().addShutdownHook(new Thread(SERVER::close));
    }
  }
}
