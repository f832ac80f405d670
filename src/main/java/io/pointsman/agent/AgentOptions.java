// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What an agent is started with.
 *
 * @param nodeName the Node this agent works for, from the downward API
 * @param bpffs where a bpffs is mounted
 * @param cgroup the root of the cgroup2 hierarchy that all pods are under; empty looks for it
 * @param apiServers a file with one {@code https://host:port} per line; it may be missing
 * @param version the version that the status names
 */
public record AgentOptions(
    String nodeName, Path bpffs, Optional<Path> cgroup, Path apiServers, String version) {
  /** Kubernetes' names of nodes: RFC 1123 subdomains. */
  private static final Pattern NODE_NAME =
      Pattern.compile("[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*");

  private static final int NODE_NAME_LENGTH = 253;

  /**
   * Checks all of it.
   *
   * @throws IllegalArgumentException with a sentence that names the option and the remedy
   */
  public AgentOptions {
    if (nodeName.isEmpty()) {
      throw new IllegalArgumentException(
          "The node's name is not given: set NODE_NAME to spec.nodeName by the downward API.");
    }
    if (nodeName.length() > NODE_NAME_LENGTH || !NODE_NAME.matcher(nodeName).matches()) {
      throw new IllegalArgumentException(
          "\""
              + nodeName
              + "\" is no name of a node: set NODE_NAME to spec.nodeName by the downward API.");
    }
    requireAbsolute("bpffs", bpffs);
    cgroup.ifPresent(path -> requireAbsolute("cgroup", path));
    requireAbsolute("API servers", apiServers);
  }

  private static void requireAbsolute(String name, Path path) {
    if (!path.isAbsolute()) {
      throw new IllegalArgumentException(
          "The path of the "
              + name
              + " is \""
              + path
              + "\": give it from the root, as in /sys/fs.");
    }
  }
}
