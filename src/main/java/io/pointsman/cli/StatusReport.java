// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.pointsman.api.Condition;
import io.pointsman.api.KubeProxyManagement;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ProxyDataplaneStatus;
import io.pointsman.api.StepResult;
import io.pointsman.operator.plan.Standpoint;
import io.vertx.core.json.JsonObject;
import java.io.PrintWriter;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Where every node stands, in rows: one for each ProxyDataplane and one for each of its nodes, as
 * the resources say at one moment.
 */
final class StatusReport implements Report {
  /** The heads of a row's cells. */
  static final List<String> HEADS =
      List.of("NODE", "FROM", "TO", "STEP", "RESULT", "FLOWS", "PROVEN", "VERIFIED", "FAILURE");

  private static final String NONE = "-";
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Map<String, ProxyDataplane> dataplanes = new TreeMap<>();
  private final Map<String, NodeDataplane> nodes = new TreeMap<>();

  StatusReport(Collection<ProxyDataplane> dataplanes, Collection<NodeDataplane> nodes) {
    dataplanes.forEach(it -> this.dataplanes.put(it.getMetadata().getName(), it));
    nodes.forEach(it -> this.nodes.put(it.getMetadata().getName(), it));
  }

  /** One line for each ProxyDataplane, by its name. */
  Map<String, String> headlines() {
    Map<String, String> lines = new LinkedHashMap<>();
    dataplanes.forEach((name, dataplane) -> lines.put(name, headline(name, dataplane)));
    return lines;
  }

  private static String headline(String name, ProxyDataplane dataplane) {
    ProxyDataplaneStatus status = answer(dataplane);
    String wanted = word(dataplane.getSpec().linuxDataplane);
    return name
        + ": "
        + wanted
        + ", "
        + state(status)
        + (status == null || status.message == null ? "" : ". " + status.message);
  }

  private static String state(@Nullable ProxyDataplaneStatus status) {
    Stream<Condition> conditions = status == null ? Stream.of() : status.conditions.stream();
    return conditions
        .filter(condition -> condition.type.equals("Ready"))
        .map(condition -> condition.status.equals("True") ? "ready" : condition.reason)
        .findFirst()
        .orElse("not looked at by an operator yet");
  }

  /** What the operator has said of what is asked for now. */
  private static @Nullable ProxyDataplaneStatus answer(ProxyDataplane dataplane) {
    ProxyDataplaneStatus status = dataplane.getStatus();
    return status == null
            || !Objects.equals(status.observedGeneration, dataplane.getMetadata().getGeneration())
        ? null
        : status;
  }

  /** One row of cells for each node, by its name. */
  Map<String, List<String>> rows() {
    Map<String, List<String>> rows = new LinkedHashMap<>();
    nodes.forEach((name, node) -> rows.put(name, row(name, node)));
    return rows;
  }

  private List<String> row(String name, NodeDataplane node) {
    NodeDataplaneStatus status = answer(node);
    return List.of(
        name,
        from(node),
        to(node),
        status == null || status.step == null ? word(node.getSpec().step) : word(status.step),
        status == null || status.result == null ? "Asked" : word(status.result),
        status == null || status.drainingFlows == null ? NONE : status.drainingFlows.toString(),
        status == null || status.proven == null ? NONE : status.proven ? "yes" : "no",
        status == null || status.verifiedAt == null ? NONE : seconds(status.verifiedAt),
        failure(node, status));
  }

  /** What the agent has said to what it is asked now. */
  private static @Nullable NodeDataplaneStatus answer(NodeDataplane node) {
    NodeDataplaneStatus status = node.getStatus();
    return status == null
            || !Objects.equals(status.observedGeneration, node.getMetadata().getGeneration())
        ? null
        : status;
  }

  private String from(NodeDataplane node) {
    return Standpoint.origin(node).map(StatusReport::word).orElse(bare(node));
  }

  private String to(NodeDataplane node) {
    return Standpoint.leaving(node) ? bare(node) : word(node.getSpec().linuxDataplane);
  }

  /** What serves a node that Pointsman does not. */
  private String bare(NodeDataplane node) {
    ProxyDataplane ruling = dataplanes.get(String.valueOf(node.getSpec().proxyDataplane));
    return ruling != null && ruling.getSpec().kubeProxy.management == KubeProxyManagement.UNMANAGED
        ? "none"
        : "kube-proxy";
  }

  /** Why the node failed last: what stands there now, or what the operator has written down. */
  private static String failure(NodeDataplane node, @Nullable NodeDataplaneStatus status) {
    if (status != null && status.result == StepResult.FAILED) {
      return status.reason + ": " + status.message;
    }
    return Standpoint.failure(node).orElse(NONE);
  }

  private static String seconds(String time) {
    return time.replaceFirst("\\.\\d+", "");
  }

  @Override
  public void printTable(PrintWriter out) {
    headlines().values().forEach(out::println);
    Map<String, List<String>> rows = rows();
    if (!rows.isEmpty()) {
      out.println();
      TextTable table = new TextTable(HEADS.toArray(String[]::new));
      rows.values().forEach(cells -> table.row(cells.toArray(String[]::new)));
      table.print(out);
    }
  }

  /** On one line. */
  String jsonLine() {
    return new JsonObject(tree()).encode();
  }

  @Override
  public Map<String, Object> tree() {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("dataplanes", dataplanes.values().stream().map(StatusReport::tree).toList());
    tree.put("nodes", rows().values().stream().map(StatusReport::tree).toList());
    return tree;
  }

  private static Map<String, Object> tree(ProxyDataplane dataplane) {
    ProxyDataplaneStatus status = answer(dataplane);
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("name", dataplane.getMetadata().getName());
    tree.put("linuxDataplane", word(dataplane.getSpec().linuxDataplane));
    tree.put("state", state(status));
    if (status != null) {
      tree.put("converged", Objects.requireNonNullElse(status.convergedNodes, ""));
      tree.put("message", Objects.requireNonNullElse(status.message, ""));
    }
    return tree;
  }

  private static Map<String, Object> tree(List<String> row) {
    Map<String, Object> tree = new LinkedHashMap<>();
    for (int i = 0; i < HEADS.size(); i++) {
      String cell = row.get(i);
      if (!cell.equals(NONE)) {
        tree.put(HEADS.get(i).toLowerCase(Locale.ROOT), value(HEADS.get(i), cell));
      }
    }
    return tree;
  }

  private static Object value(String head, String cell) {
    return switch (head) {
      case "FLOWS" -> Long.valueOf(cell);
      case "PROVEN" -> cell.equals("yes");
      default -> cell;
    };
  }

  /** An enum constant as it stands in YAML. */
  private static String word(@Nullable Enum<?> constant) {
    return constant == null ? NONE : MAPPER.convertValue(constant, String.class);
  }
}
