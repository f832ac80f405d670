// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** The two processes of an {@link ApiServer}, on free ports of loopback. */
final class ControlPlane implements AutoCloseable {
  /** The bearer token of the administrator; it opens nothing but a server on loopback. */
  static final String TOKEN = "administrator-of-a-test";

  private static final Duration READY = Duration.ofSeconds(90);

  private final BoundProcess etcd;
  private final BoundProcess server;
  private final Path folder;
  private final int port;

  private ControlPlane(BoundProcess etcd, BoundProcess server, Path folder, int port) {
    this.etcd = etcd;
    this.server = server;
    this.folder = folder;
    this.port = port;
  }

  /** A port that was free was taken by the time it was used. */
  static final class PortTakenException extends Exception {
    private static final long serialVersionUID = 1L;
  }

  static ControlPlane start(Path folder) throws PortTakenException {
    int client = freePort();
    int peer = freePort();
    int port = freePort();
    prepare(folder, port);
    var etcd = BoundProcess.start(etcd(folder, client, peer), folder.resolve("etcd.log"));
    var server =
        BoundProcess.start(server(folder, client, port), folder.resolve("kube-apiserver.log"));
    var controlPlane = new ControlPlane(etcd, server, folder, port);
    controlPlane.awaitReady();
    return controlPlane;
  }

  String url() {
    return "https://127.0.0.1:" + port;
  }

  /** The certificate that the server signed for itself. */
  Path certificate() {
    return folder.resolve("certificates/apiserver.crt");
  }

  List<Long> pids() {
    return List.of(etcd.pid(), server.pid());
  }

  @Override
  public void close() {
    server.close();
    etcd.close();
  }

  private void awaitReady() throws PortTakenException {
    try {
      Awaitility.await()
          .pollInterval(Duration.ofMillis(100))
          .atMost(READY)
          .until(() -> !alive() || ready());
    } catch (ConditionTimeoutException e) {
      close();
      throw new IllegalStateException("the API server is not ready: " + tail(server.output()), e);
    }
    if (alive()) {
      return;
    }
    close();
    if ((etcd.output() + server.output()).contains("address already in use")) {
      throw new PortTakenException();
    }
    throw new IllegalStateException("the API server ended: " + lastWords());
  }

  boolean alive() {
    return etcd.alive() && server.alive();
  }

  /** The end of what both wrote. */
  String lastWords() {
    return tail(etcd.output()) + tail(server.output());
  }

  private boolean ready() {
    if (!Files.exists(certificate())) {
      return false;
    }
    try (var http = http()) {
      // The text of a failure holds "ok" too, so the whole body is compared.
      return get(http, "/readyz").body().equals("ok")
          // The server makes this Service up to ten seconds after it says that it is ready.
          && get(http, "/api/v1/namespaces/default/services/kubernetes").statusCode() == 200;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private HttpResponse<String> get(HttpClient http, String path)
      throws IOException, InterruptedException {
    var request =
        HttpRequest.newBuilder(URI.create(url() + path))
            .header("Authorization", "Bearer " + TOKEN)
            .timeout(Duration.ofSeconds(5))
            .build();
    return http.send(request, BodyHandlers.ofString());
  }

  /** A new HTTP client that trusts the server. */
  HttpClient http() {
    try {
      return HttpClient.newBuilder().sslContext(trust(certificate())).build();
    } catch (IOException | GeneralSecurityException e) {
      throw new IllegalStateException("no certificate in " + certificate(), e);
    }
  }

  private static SSLContext trust(Path certificate) throws IOException, GeneralSecurityException {
    var store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (var in = Files.newInputStream(certificate)) {
      int number = 0;
      for (var one : CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        store.setCertificateEntry("server-" + number++, one);
      }
    }
    var managers = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(store);
    var context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    return context;
  }

  private static List<String> etcd(Path folder, int client, int peer) {
    String clientUrl = "http://127.0.0.1:" + client;
    String peerUrl = "http://127.0.0.1:" + peer;
    return List.of(
        Programs.path("etcd").toString(),
        "--data-dir=" + folder.resolve("etcd"),
        "--unsafe-no-fsync",
        "--listen-client-urls=" + clientUrl,
        "--advertise-client-urls=" + clientUrl,
        "--listen-peer-urls=" + peerUrl,
        "--initial-advertise-peer-urls=" + peerUrl,
        "--initial-cluster=default=" + peerUrl);
  }

  private static List<String> server(Path folder, int etcd, int port) {
    Path key = folder.resolve("service-account.key");
    return List.of(
        Programs.path("kube-apiserver").toString(),
        "--etcd-servers=http://127.0.0.1:" + etcd,
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        "--secure-port=" + port,
        "--cert-dir=" + folder.resolve("certificates"),
        "--token-auth-file=" + folder.resolve("tokens.csv"),
        "--authorization-mode=RBAC",
        "--allow-privileged=true",
        "--service-cluster-ip-range=10.96.0.0/16,fd00:96::/112",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=" + key,
        "--service-account-signing-key-file=" + key);
  }

  private static void prepare(Path folder, int port) {
    try {
      Files.createDirectories(folder.resolve("etcd"));
      Files.writeString(folder.resolve("service-account.key"), privateKey());
      Files.writeString(
          folder.resolve("tokens.csv"), TOKEN + ",administrator,0,\"system:masters\"\n");
      Files.writeString(folder.resolve("kubeconfig"), kubeconfig(folder, port));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String kubeconfig(Path folder, int port) {
    return """
        apiVersion: v1
        kind: Config
        current-context: test
        contexts: [{name: test, context: {cluster: test, user: administrator}}]
        clusters: [{name: test, cluster: {server: "https://127.0.0.1:%d", certificate-authority: "%s"}}]
        users: [{name: administrator, user: {token: "%s"}}]
        """
        .formatted(port, folder.resolve("certificates/apiserver.crt"), TOKEN);
  }

  private static String privateKey() {
    try {
      var generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      byte[] key = generator.generateKeyPair().getPrivate().getEncoded();
      return "-----BEGIN PRIVATE KEY-----\n"
          + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key)
          + "\n-----END PRIVATE KEY-----\n";
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("this JDK has no RSA", e);
    }
  }

  private static int freePort() {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String tail(String log) {
    return log.substring(Math.max(0, log.length() - 4000));
  }
}
