// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.util.ArrayList;
import java.util.List;

/**
 * The routes to the pod ranges of each node: on the other nodes, the control plane and the client.
 */
final class Routes {
  private final Namespaces namespaces;
  private final Client client;

  Routes(Namespaces namespaces, Client client) {
    this.namespaces = namespaces;
    this.client = client;
  }

  /** Sets every route between the nodes that run. */
  void all(List<Node> nodes) {
    var everyone = nodes.stream().flatMap(node -> replace(node.number()).stream()).toList();
    namespaces.ip(plain(everyone));
    client.ip(plain(everyone));
    var numbers = nodes.stream().map(Node::number).toList();
    nodes.stream().filter(Node::running).forEach(node -> to(numbers, node));
  }

  /** Sets the routes of one node to all others of these. */
  static void to(List<Integer> numbers, Node node) {
    var others =
        numbers.stream()
            .filter(number -> number != node.number())
            .flatMap(number -> replace(number).stream())
            .toList();
    if (!others.isEmpty()) {
      node.ip(plain(others));
    }
  }

  /** Takes out the routes to one node. */
  void remove(int number, List<Node> nodes) {
    String[] lines = {
      "route del " + Addresses.pods4(number), "route del " + Addresses.pods6(number)
    };
    namespaces.ip(lines);
    client.ip(lines);
    for (var node : nodes) {
      if (node.number() != number && node.running()) {
        node.ip(lines);
      }
    }
  }

  private static List<String> replace(int number) {
    var lines = new ArrayList<String>();
    lines.add(
        "route replace %s via %s".formatted(Addresses.pods4(number), Addresses.node4(number)));
    lines.add(
        "route replace %s via %s".formatted(Addresses.pods6(number), Addresses.node6(number)));
    return lines;
  }

  private static String[] plain(List<String> lines) {
    return lines.toArray(String[]::new);
  }
}
