// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Condition;
import io.pointsman.api.KubeProxyManagement;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.api.ProxyDataplaneStatus;
import io.pointsman.api.Step;
import io.pointsman.api.StepResult;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class StatusReportTest {
  private final StringWriter text = new StringWriter();

  private static ProxyDataplane dataplane() {
    ProxyDataplane dataplane = new ProxyDataplane();
    dataplane.getMetadata().setName("default");
    dataplane.getMetadata().setGeneration(2L);
    ProxyDataplaneSpec spec = new ProxyDataplaneSpec();
    spec.linuxDataplane = LinuxDataplane.BPF;
    dataplane.setSpec(spec);
    ProxyDataplaneStatus status = new ProxyDataplaneStatus();
    status.observedGeneration = 2L;
    Condition ready = new Condition();
    ready.type = "Ready";
    ready.status = "False";
    ready.reason = "Switching";
    status.conditions = List.of(ready);
    status.message = "Switching node-2.";
    dataplane.setStatus(status);
    return dataplane;
  }

  private static NodeDataplane node(String name, Step asked, Step at, StepResult result) {
    NodeDataplane node = new NodeDataplane();
    node.getMetadata().setName(name);
    node.getMetadata().setGeneration(3L);
    NodeDataplaneSpec spec = new NodeDataplaneSpec();
    spec.proxyDataplane = "default";
    spec.linuxDataplane = LinuxDataplane.BPF;
    spec.step = asked;
    node.setSpec(spec);
    NodeDataplaneStatus status = new NodeDataplaneStatus();
    status.observedGeneration = 3L;
    status.step = at;
    status.result = result;
    status.proven = result == StepResult.DONE;
    node.setStatus(status);
    return node;
  }

  private static StatusReport report(NodeDataplane... nodes) {
    return new StatusReport(List.of(dataplane()), List.of(nodes));
  }

  private static NodeDataplane converged() {
    NodeDataplane node = node("node-1", Step.CLEAN, Step.CLEAN, StepResult.DONE);
    node.getStatus().verifiedAt = "2026-11-23T10:00:00.123456Z";
    node.getMetadata()
        .setAnnotations(Map.of("pointsman.io/converged-since", "2026-11-23T09:00:00Z"));
    return node;
  }

  private static NodeDataplane draining() {
    NodeDataplane node = node("node-2", Step.CLEAN, Step.CLEAN, StepResult.IN_PROGRESS);
    node.getMetadata().setAnnotations(Map.of("pointsman.io/replaces", "Iptables"));
    node.getStatus().drainingFlows = 17L;
    return node;
  }

  private static NodeDataplane failed() {
    NodeDataplane node = node("node-3", Step.PREPARE, Step.PREPARE, StepResult.FAILED);
    node.getStatus().reason = "NotProven";
    node.getStatus().message = "The kernel could not be mended.";
    return node;
  }

  private static NodeDataplane back() {
    NodeDataplane node = node("node-4", Step.REMOVE, Step.REMOVE, StepResult.DONE);
    node.getMetadata().setAnnotations(Map.of("pointsman.io/failure", "ProbeFailed: No answer."));
    return node;
  }

  private static NodeDataplane asked() {
    NodeDataplane node = node("node-5", Step.PREFLIGHT, Step.CLEAN, StepResult.DONE);
    node.getMetadata().setGeneration(4L);
    return node;
  }

  @Test
  void everyNodeHasARow() {
    report(failed(), converged(), draining(), back(), asked()).printTable(new PrintWriter(text));
    assertThat(text.toString().lines())
        .containsExactly(
            "default: BPF, Switching. Switching node-2.",
            "",
            "NODE     FROM         TO           STEP        RESULT       FLOWS   PROVEN   VERIFIED"
                + "               FAILURE",
            "node-1   BPF          BPF          Clean       Done         -       yes"
                + "      2026-11-23T10:00:00Z   -",
            "node-2   Iptables     BPF          Clean       InProgress   17      no       -"
                + "                      -",
            "node-3   kube-proxy   BPF          Prepare     Failed       -       no       -"
                + "                      NotProven: The kernel could not be mended.",
            "node-4   BPF          kube-proxy   Remove      Done         -       yes      -"
                + "                      ProbeFailed: No answer.",
            "node-5   kube-proxy   BPF          Preflight   Asked        -       -        -"
                + "                      -");
  }

  @Test
  void withoutKubeProxyThereIsNone() {
    ProxyDataplane dataplane = dataplane();
    dataplane.getSpec().kubeProxy.management = KubeProxyManagement.UNMANAGED;
    assertThat(new StatusReport(List.of(dataplane), List.of(failed())).rows().get("node-3"))
        .contains("none");
  }

  @Test
  void whatWasSaidOfAnOlderSpecIsNotToldOfTheNewOne() {
    ProxyDataplane edited = dataplane();
    edited.getSpec().linuxDataplane = LinuxDataplane.IPVS;
    edited.getMetadata().setGeneration(3L);
    StatusReport report = new StatusReport(List.of(edited), List.of());
    assertThat(report.headlines())
        .containsEntry("default", "default: IPVS, not looked at by an operator yet");
    assertThat(report.json())
        .contains("\"state\" : \"not looked at by an operator yet\"")
        .doesNotContain("Switching");
  }

  @Test
  void jsonAndYamlSayTheSame() {
    StatusReport report = report(draining());
    assertThat(report.json())
        .contains("\"node\" : \"node-2\"")
        .contains("\"from\" : \"Iptables\"")
        .contains("\"flows\" : 17")
        .contains("\"proven\" : false")
        .contains("\"state\" : \"Switching\"")
        .doesNotContain("verified");
    assertThat(report.yaml()).contains("flows: 17").contains("step: \"Clean\"");
    assertThat(report.jsonLine()).doesNotContain("\n").contains("\"flows\":17");
  }

  @Test
  void watchingPrintsOnlyWhatHasChanged() {
    StatusPrinter printer = new StatusPrinter(new PrintWriter(text), OutputOption.Format.table);
    printer.printChanges(report(converged(), draining()));
    assertThat(text.toString().lines()).hasSize(4);
    text.getBuffer().setLength(0);
    printer.printChanges(report(converged(), draining()));
    assertThat(text.toString()).isEmpty();
    NodeDataplane fewer = draining();
    fewer.getStatus().drainingFlows = 3L;
    printer.printChanges(report(converged(), fewer));
    assertThat(text.toString().lines()).hasSize(1);
    assertThat(text.toString()).startsWith("node-2   Iptables   BPF").contains("   3 ");
    text.getBuffer().setLength(0);
    printer.printChanges(report(converged()));
    assertThat(text.toString()).isEqualTo("node-2: gone\n");
  }

  @Test
  void watchingInJsonIsALineForEachChange() {
    StatusPrinter printer = new StatusPrinter(new PrintWriter(text), OutputOption.Format.json);
    printer.printChanges(report(converged()));
    printer.printChanges(report(converged()));
    printer.printChanges(report(draining()));
    assertThat(text.toString().lines()).hasSize(2);
  }
}
