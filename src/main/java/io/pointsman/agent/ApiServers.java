// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/**
 * Sends every request to an API server that answers: first those in a file, by their own addresses,
 * so that a node without any Service dataplane can reach them; at last the Service's address that
 * the client was made for. Certificates are checked for whatever address is used.
 */
final class ApiServers implements Interceptor {
  private static final Logger LOG = Logger.getLogger(ApiServers.class);

  /** Several requests fail together when a server goes; together they move on once. */
  private static final long MOVE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Path file;
  private final URI fallback;
  private final Set<String> warned = ConcurrentHashMap.newKeySet();
  private int current;
  private long movedAt = System.nanoTime() - MOVE_NANOS;

  /**
   * Reads the file before every request that needs it, so that a change is followed.
   *
   * @param fallback the address that is used when no other answers
   */
  ApiServers(Path file, URI fallback) {
    this.file = file;
    this.fallback = fallback;
  }

  @Override
  public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
    URI server = server();
    URI asked = request.uri();
    try {
      String scheme =
          asked.getScheme().startsWith("ws")
              ? server.getScheme().replace("http", "ws")
              : server.getScheme();
      builder.uri(
          new URI(scheme + "://" + server.getRawAuthority() + asked.getRawPath() + query(asked)));
    } catch (URISyntaxException e) {
      throw new IllegalStateException("cannot address " + asked + " at " + server, e);
    }
  }

  private static String query(URI uri) {
    return uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
  }

  @Override
  public synchronized void afterConnectionFailure(HttpRequest request, Throwable failure) {
    long now = System.nanoTime();
    if (now - movedAt < MOVE_NANOS) {
      return;
    }
    movedAt = now;
    URI failed = server();
    current++;
    LOG.infof(
        "API server %s does not answer (%s), next is %s", failed, failure.getMessage(), server());
  }

  /** The server that requests go to now. */
  synchronized URI server() {
    List<URI> servers = servers();
    return servers.get(Math.floorMod(current, servers.size()));
  }

  /** All servers in the order in which they are tried. */
  List<URI> servers() {
    List<URI> servers = new ArrayList<>();
    try {
      for (String line : Files.exists(file) ? Files.readAllLines(file) : List.<String>of()) {
        if (!line.isBlank()) {
          add(line.strip(), servers);
        }
      }
    } catch (IOException e) {
      LOG.warnf("%s cannot be read, the Service's address is used: %s", file, e.getMessage());
    }
    servers.add(fallback);
    return servers;
  }

  private void add(String line, List<URI> servers) {
    try {
      URI uri = new URI(line);
      if ("https".equals(uri.getScheme()) && uri.getHost() != null) {
        servers.add(uri);
        return;
      }
    } catch (URISyntaxException e) {
      LOG.debugf("%s: %s", file, e.getMessage());
    }
    if (warned.add(line)) {
      LOG.warnf("%s: \"%s\" is ignored, write https://host:port", file, line);
    }
  }
}
