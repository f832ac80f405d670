// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.vertx.VertxHttpClientFactory;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.QuarkusApplication;
import io.quarkus.runtime.ShutdownEvent;
import io.vertx.core.Vertx;
import jakarta.enterprise.event.Observes;
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
    Role role = Server.role();
    try {
      LOG.infof("%s %s starts", role.name(), Version.current());
      role.start(new Role.Surroundings(meters, client()));
      LOG.infof("%s is at work", role.name());
      Quarkus.waitForExit();
      return 0;
    } catch (RuntimeException failure) {
      LOG.errorf(failure, "%s cannot work and ends", role.name());
      return Failures.FAILED;
    }
  }

  /** When {@link #run} goes on after a signal, the event loop is being closed already. */
  void end(@Observes ShutdownEvent event) {
    Role role = Server.role();
    LOG.infof("%s ends", role.name());
    role.close();
  }

  private KubernetesClientBuilder client() {
    // The client would start a Vert.x with threads of its own otherwise.
    return new KubernetesClientBuilder().withHttpClientFactory(new VertxHttpClientFactory(vertx));
  }
}
