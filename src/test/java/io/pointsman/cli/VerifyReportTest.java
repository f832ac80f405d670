// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.cli.VerifyReport.NodeReport;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.verify.kubeproxy.Difference;
import io.pointsman.verify.kubeproxy.Difference.Kind;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import io.pointsman.verify.kubeproxy.ServiceVerdict;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class VerifyReportTest {
  private static final ServicePortId WEB =
      new ServicePortId("default", "web", "http", Protocol.TCP, IpFamily.IPV4);
  private static final ServicePortId SHOP =
      new ServicePortId("default", "shop", "", Protocol.UDP, IpFamily.IPV6);
  private static final Difference LACKS =
      new Difference(
          Kind.MISSING,
          "default/web:http",
          "10.96.0.50:80/TCP",
          "10.244.1.6:8080",
          "10.96.0.50:80/TCP lacks the endpoint 10.244.1.6:8080.");

  private static final NodeReport SERVED = NodeReport.of("node-1", verdict());
  private static final NodeReport DIFFERENT = NodeReport.of("node-2", verdict(LACKS));
  private static final NodeReport LOST = NodeReport.notLookedAt("node-3", "it is not Ready");
  private static final NodeReport OURS = NodeReport.servedByPointsman("node-4", "BPF");

  private static KubeProxyVerdict verdict(Difference... ofWeb) {
    return new KubeProxyVerdict(
        Optional.of(KubeProxyMode.IPTABLES),
        List.of(
            new ServiceVerdict(SHOP, List.of(), List.of("sessionAffinity")),
            new ServiceVerdict(WEB, List.of(ofWeb), List.of())),
        List.of());
  }

  @Test
  void theExitCodeSaysTheWorstThatIsSure() {
    assertThat(new VerifyReport(List.of(SERVED, OURS)).exitCode()).isZero();
    assertThat(new VerifyReport(List.of(SERVED, DIFFERENT, LOST)).exitCode()).isEqualTo(1);
    assertThat(new VerifyReport(List.of(SERVED, LOST)).exitCode()).isEqualTo(3);
    KubeProxyVerdict none = new KubeProxyVerdict(Optional.empty(), List.of(), List.of());
    assertThat(new VerifyReport(List.of(NodeReport.of("node-1", none))).exitCode()).isEqualTo(1);
  }

  @Test
  void whereNothingWasComparedNothingIsSaidToBeServed() {
    for (List<NodeReport> nodes : List.of(List.of(OURS), List.<NodeReport>of())) {
      VerifyReport report = new VerifyReport(nodes);
      StringWriter text = new StringWriter();
      report.printTable(new PrintWriter(text));
      assertThat(text.toString()).contains("Nothing was compared");
      assertThat(report.json()).contains("Nothing was compared").doesNotContain("\"served\"");
      assertThat(report.exitCode()).isZero();
    }
    VerifyReport both = new VerifyReport(List.of(OURS, SERVED));
    assertThat(both.json()).contains("\"served\" : true").doesNotContain("Nothing was compared");
  }

  @Test
  void theTableHasNodesServicesAndDifferences() {
    StringWriter text = new StringWriter();
    new VerifyReport(List.of(SERVED, DIFFERENT, LOST, OURS)).printTable(new PrintWriter(text));
    assertThat(text.toString().lines())
        .containsExactly(
            "NODE     MODE       SERVICE PORTS   SERVED   VERDICT",
            "node-1   iptables   2               2        served exactly",
            "node-2   iptables   2               1        differs",
            "node-3   -          -               -        not looked at: it is not Ready",
            "node-4   -          -               -        served by Pointsman: BPF serves in"
                + " kube-proxy's place.",
            "",
            "SERVICE            PROTOCOL   FAMILY   NODES   VERDICT",
            "default/shop       UDP        IPv6     2/2     served; not compared: sessionAffinity",
            "default/web:http   TCP        IPv4     1/2     differs on node-2",
            "",
            "NODE     KIND      DIFFERENCE",
            "node-2   missing   default/web:http: 10.96.0.50:80/TCP lacks the endpoint"
                + " 10.244.1.6:8080.");
  }

  @Test
  void jsonAndYamlSayTheSame() {
    VerifyReport report = new VerifyReport(List.of(DIFFERENT));
    assertThat(report.json())
        .contains("\"kind\" : \"missing\"")
        .contains("\"endpoint\" : \"10.244.1.6:8080\"")
        .contains("\"verdict\" : \"Different\"");
    assertThat(report.yaml())
        .contains("kind: \"missing\"")
        .contains("endpoint: \"10.244.1.6:8080\"")
        .contains("verdict: \"Different\"");
  }

  @Test
  void whatANodeTellsArrivesUnchanged() throws IOException {
    List<BackendAddress> backends = List.of(new BackendAddress(Address.parse("fd00::5"), 8080));
    List<KubeProxyState> states =
        List.of(
            new KubeProxyState(
                KubeProxyMode.NFTABLES,
                "nftables",
                List.of(
                    new KubeProxyFrontend(
                        Address.ANY_V6,
                        30_080,
                        6,
                        "default/web:http",
                        false,
                        backends,
                        List.of(),
                        List.of("flaw"))),
                List.of("defect"),
                List.of("foreign")));
    StringWriter text = new StringWriter();
    KubeProxyJson.write(text, states);
    assertThat(KubeProxyJson.read(text.toString())).isEqualTo(states);
    assertThat(text.toString()).contains("\"address\":\"fd00::5\"");
  }
}
