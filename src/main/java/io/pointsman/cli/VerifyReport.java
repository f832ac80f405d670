// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.verify.kubeproxy.Difference;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import io.pointsman.verify.kubeproxy.ServiceVerdict;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What was seen on all nodes, in the forms that people and programs want. */
final class VerifyReport implements Report {
  private static final String NOTHING =
      "Nothing was compared: there is no node that kube-proxy serves.";

  private final List<NodeReport> nodes;

  VerifyReport(List<NodeReport> nodes) {
    this.nodes = List.copyOf(nodes);
  }

  /** How a look has ended. */
  enum Outcome {
    SERVED("served exactly"),
    DIFFERENT("differs"),
    NO_KUBE_PROXY("no kube-proxy"),
    POINTSMAN("served by Pointsman"),
    NOT_LOOKED_AT("not looked at");

    private final String words;

    Outcome(String words) {
      this.words = words;
    }
  }

  /**
   * One node.
   *
   * @param verdict null where kube-proxy was not looked at
   * @param message why, empty where it was
   */
  record NodeReport(
      String node, Outcome outcome, String message, @Nullable KubeProxyVerdict verdict) {
    static NodeReport of(String node, KubeProxyVerdict verdict) {
      if (verdict.mode().isEmpty()) {
        return new NodeReport(
            node, Outcome.NO_KUBE_PROXY, "The kernel holds no rules of a kube-proxy.", null);
      }
      return new NodeReport(
          node, verdict.served() ? Outcome.SERVED : Outcome.DIFFERENT, "", verdict);
    }

    static NodeReport servedByPointsman(String node, String dataplane) {
      return new NodeReport(
          node, Outcome.POINTSMAN, dataplane + " serves in kube-proxy's place.", null);
    }

    static NodeReport notLookedAt(String node, String why) {
      return new NodeReport(node, Outcome.NOT_LOOKED_AT, why, null);
    }

    private String mode() {
      return verdict == null ? "-" : verdict.mode().map(KubeProxyMode::text).orElse("-");
    }

    private Set<Difference> differences() {
      return verdict == null ? Set.of() : verdict.differences();
    }

    private List<ServiceVerdict> services() {
      return verdict == null ? List.of() : verdict.services();
    }
  }

  /** Whether a kube-proxy was compared, or should have been, on any node. */
  private boolean compared() {
    return nodes.stream().anyMatch(each -> each.outcome() != Outcome.POINTSMAN);
  }

  int exitCode() {
    if (has(Outcome.DIFFERENT) || has(Outcome.NO_KUBE_PROXY)) {
      return Failures.FAILED;
    }
    return has(Outcome.NOT_LOOKED_AT) ? Failures.NOT_LOOKED_AT : 0;
  }

  private boolean has(Outcome outcome) {
    return nodes.stream().anyMatch(each -> each.outcome() == outcome);
  }

  @Override
  public void printTable(PrintWriter out) {
    TextTable summary = new TextTable("NODE", "MODE", "SERVICE PORTS", "SERVED", "VERDICT");
    for (NodeReport each : nodes) {
      boolean seen = each.verdict() != null;
      long served = each.services().stream().filter(ServiceVerdict::served).count();
      summary.row(
          each.node(),
          each.mode(),
          seen ? Integer.toString(each.services().size()) : "-",
          seen ? Long.toString(served) : "-",
          each.outcome().words + (each.message().isEmpty() ? "" : ": " + each.message()));
    }
    summary.print(out);
    if (!compared()) {
      out.println(NOTHING);
    }
    printServices(out);
    TextTable differences = new TextTable("NODE", "KIND", "DIFFERENCE");
    for (NodeReport each : nodes) {
      each.differences().forEach(it -> differences.row(each.node(), kind(it), it.text()));
    }
    if (!differences.isEmpty()) {
      out.println();
      differences.print(out);
    }
  }

  private void printServices(PrintWriter out) {
    Map<ServicePortId, Row> rows = new LinkedHashMap<>();
    for (NodeReport node : nodes) {
      for (ServiceVerdict each : node.services()) {
        rows.computeIfAbsent(each.id(), id -> new Row()).add(node.node(), each);
      }
    }
    TextTable services = new TextTable("SERVICE", "PROTOCOL", "FAMILY", "NODES", "VERDICT");
    rows.forEach(
        (id, row) ->
            services.row(
                id.text(),
                id.protocol().name(),
                id.family().text(),
                row.served + "/" + row.nodes,
                row.verdict()));
    if (!services.isEmpty()) {
      out.println();
      services.print(out);
    }
  }

  /** One Service port on all nodes. */
  private static final class Row {
    private final Set<String> notCompared = new TreeSet<>();
    private final List<String> different = new ArrayList<>(0);
    private int nodes;
    private int served;

    void add(String node, ServiceVerdict verdict) {
      nodes++;
      notCompared.addAll(verdict.notCompared());
      if (verdict.served()) {
        served++;
      } else {
        different.add(node);
      }
    }

    String verdict() {
      String words =
          different.isEmpty()
              ? notCompared.isEmpty() ? "served exactly" : "served"
              : "differs on " + String.join(", ", different);
      return notCompared.isEmpty()
          ? words
          : words + "; not compared: " + String.join(", ", notCompared);
    }
  }

  @Override
  public Map<String, Object> tree() {
    Map<String, Object> tree = new LinkedHashMap<>();
    if (compared()) {
      tree.put("served", exitCode() == 0);
    } else {
      tree.put("message", NOTHING);
    }
    tree.put("nodes", nodes.stream().map(VerifyReport::tree).toList());
    return tree;
  }

  private static Map<String, Object> tree(NodeReport node) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("node", node.node());
    tree.put("verdict", camel(node.outcome()));
    if (!node.message().isEmpty()) {
      tree.put("message", node.message());
    }
    if (node.verdict() != null) {
      tree.put("mode", node.mode());
      tree.put("services", node.services().stream().map(VerifyReport::tree).toList());
      tree.put("differences", node.differences().stream().map(VerifyReport::tree).toList());
    }
    return tree;
  }

  private static Map<String, Object> tree(ServiceVerdict service) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("namespace", service.id().namespace());
    tree.put("service", service.id().service());
    tree.put("port", service.id().port());
    tree.put("protocol", service.id().protocol().name());
    tree.put("family", service.id().family().text());
    tree.put("served", service.served());
    tree.put("notCompared", service.notCompared());
    return tree;
  }

  private static Map<String, Object> tree(Difference difference) {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("kind", kind(difference));
    tree.put("service", difference.service());
    tree.put("frontend", difference.frontend());
    tree.put("endpoint", difference.backend());
    tree.put("message", difference.message());
    return tree;
  }

  private static String camel(Outcome outcome) {
    return switch (outcome) {
      case SERVED -> "Served";
      case DIFFERENT -> "Different";
      case NO_KUBE_PROXY -> "NoKubeProxy";
      case POINTSMAN -> "ServedByPointsman";
      case NOT_LOOKED_AT -> "NotLookedAt";
    };
  }

  private static String kind(Difference difference) {
    return Objects.requireNonNull(difference.kind()).name().toLowerCase(Locale.ROOT);
  }
}
