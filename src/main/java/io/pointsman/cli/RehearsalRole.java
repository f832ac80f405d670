// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.quarkus.runtime.Quarkus;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jboss.logging.Logger;

/** A role for a while: the agent goes as far as it can where no program may be loaded. */
final class RehearsalRole implements Role {
  private static final Logger LOG = Logger.getLogger(RehearsalRole.class);

  private final Role role;
  private final int port;
  private final int seconds;

  RehearsalRole(Role role, int port, int seconds) {
    this.role = role;
    this.port = port;
    this.seconds = seconds;
  }

  @Override
  public String name() {
    return "rehearsal";
  }

  @Override
  public void start(Surroundings surroundings) {
    role.start(surroundings);
    LOG.infof("%s is rehearsed", role.name());
    var unused =
        CompletableFuture.runAsync(
            this::askAndEnd, CompletableFuture.delayedExecutor(seconds, TimeUnit.SECONDS));
  }

  private void askAndEnd() {
    for (String path : List.of("/q/health/live", "/q/health/ready", "/q/metrics", "/probe")) {
      LOG.infof("%s answers %s", path, ask(path));
    }
    Quarkus.asyncExit(0);
  }

  private String ask(String path) {
    try {
      var connection = URI.create("http://127.0.0.1:" + port + path).toURL().openConnection();
      int status = ((HttpURLConnection) connection).getResponseCode();
      if (status < HttpURLConnection.HTTP_BAD_REQUEST) {
        try (InputStream in = connection.getInputStream()) {
          return status + " with " + in.readAllBytes().length + " bytes";
        }
      }
      return Integer.toString(status);
    } catch (IOException failure) {
      return failure.toString();
    }
  }

  @Override
  public boolean started() {
    return role.started();
  }

  @Override
  public Optional<String> unready() {
    return role.unready();
  }

  @Override
  public Optional<String> probeAnswer() {
    return Optional.of("rehearsal");
  }

  @Override
  public void close() {
    role.close();
  }
}
