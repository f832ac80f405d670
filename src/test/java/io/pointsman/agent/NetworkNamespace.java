// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.kernel.CommandRunner;
import java.util.List;

/** A network namespace of a test's own; what a test does to netfilter stays in it. */
final class NetworkNamespace implements AutoCloseable {
  private final CommandRunner host = new CommandRunner();
  private final String name;

  NetworkNamespace(String name) {
    this.name = name + "-" + ProcessHandle.current().pid();
    host.lines("ip", "netns", "add", this.name);
  }

  /** Runs commands inside. */
  CommandRunner commands() {
    return new CommandRunner(List.of("ip", "netns", "exec", name));
  }

  @Override
  public void close() {
    host.lines("ip", "netns", "delete", name);
  }
}
