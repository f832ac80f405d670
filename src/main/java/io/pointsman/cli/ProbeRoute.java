// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.vertx.ext.web.Router;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;

/** Answers the agents' live probe, which comes through the probe Service. */
@ApplicationScoped
final class ProbeRoute {
  private static final String PATH = "/probe";

  void add(@Observes Router router) {
    Server.role()
        .probeAnswer()
        .ifPresent(
            answer ->
                router
                    .get(PATH)
                    .handler(
                        request ->
                            request.response().putHeader("Connection", "close").end(answer)));
  }
}
