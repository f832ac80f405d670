// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.vertx.VertxHttpClientFactory;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.vertx.core.Vertx;
import jakarta.inject.Inject;
import org.jboss.logging.Logger;

/** Holds the role while Quarkus runs. */
final class ServerApplication implements QuarkusApplication {
  private static final Logger LOG = Logger.getLogger(ServerApplication.class);

  private final MeterRegistry meters;
  private final Vertx vertx;

  @Inject
  ServerApplication(MeterRegistry meters, Vertx vertx) {
    this.meters = meters;
    this.vertx = vertx;
  }

  @Override
  public int run(String... arguments) {
    try (Role role = Server.role()) {
      LOG.infof("%s %s starts", role.name(), Version.current());
      role.start(new Role.Surroundings(meters, client()));
      LOG.infof("%s is at work", role.name());
      Quarkus.waitForExit();
      LOG.infof("%s ends", role.name());
      return 0;
    } catch (RuntimeException failure) {
      LOG.errorf(failure, "%s cannot work and ends", Server.role().name());
      return Failures.FAILED;
    }
  }

  private KubernetesClientBuilder client() {
    // The client would start a Vert.x with threads of its own otherwise.
    return new KubernetesClientBuilder().withHttpClientFactory(new VertxHttpClientFactory(vertx));
  }
}
