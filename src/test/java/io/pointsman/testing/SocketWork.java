// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.io.IOException;

/** What a test's server does until its sockets are closed. */
@FunctionalInterface
public interface SocketWork {
  /** Works; the exception that a closed socket makes ends it. */
  void run() throws IOException;

  /** Starts it on a thread of its own. Who talks to the server judges how it ends. */
  static void start(SocketWork work) {
    Thread.ofVirtual()
        .start(
            () -> {
              try {
                work.run();
              } catch (IOException e) {
                Thread.currentThread().interrupt();
              }
            });
  }
}
