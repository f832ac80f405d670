// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.ServicePort;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A change carries the chains it touches, and nothing else. */
class PartialScriptTest {
  private static final ServiceRules RULES = new ServiceRules(false, Optional.empty(), false);

  private static final int COMMIT_SIZE = 2;

  @Test
  void anEndpointLessRewritesOneChainAndDeletesOne() throws IOException {
    ServicePort after = with(Samples.WEB, Samples.WEB.backends().subList(0, 2));
    assertThat(script(RULES.of(Samples.WEB), RULES.of(after)))
        .isEqualTo(
            """
            *nat
            :KUBE-SVC-CDGGSHYLG3RE2FKL - [0:0]
            -A KUBE-SVC-CDGGSHYLG3RE2FKL -m statistic --mode random --probability 0.5000000000 -j KUBE-SEP-7U6MWNJWR3SADOJA
            -A KUBE-SVC-CDGGSHYLG3RE2FKL -j KUBE-SEP-F7BHZ7WL3PFYMSRY
            :KUBE-SEP-2RIJ5GIYXEFH6G4D - [0:0]
            -X KUBE-SEP-2RIJ5GIYXEFH6G4D
            COMMIT
            """);
  }

  @Test
  void theLastEndpointLeavesOnlyWhenItsRejectionIsThere() throws IOException {
    ServicePort after = with(Samples.ONE, List.of());
    assertThat(script(RULES.of(Samples.ONE), RULES.of(after)))
        .isEqualTo(
            """
            *filter
            -I KUBE-SERVICES -m comment --comment "default/one has no endpoints" -m udp -p udp -d 10.96.0.52 --dport 53 -j REJECT
            COMMIT
            *nat
            -D KUBE-SERVICES -m comment --comment "default/one cluster IP" -m udp -p udp -d 10.96.0.52 --dport 53 -j KUBE-SVC-NHYGUYHRT7FIOP25
            :KUBE-SVC-NHYGUYHRT7FIOP25 - [0:0]
            :KUBE-SEP-XYZ2GE6BUUA3CKGD - [0:0]
            -X KUBE-SVC-NHYGUYHRT7FIOP25
            -X KUBE-SEP-XYZ2GE6BUUA3CKGD
            COMMIT
            """);
  }

  @Test
  void theFirstEndpointIsThereBeforeTheRejectionLeaves() throws IOException {
    ServicePort before = with(Samples.ONE, List.of());
    String script = script(RULES.of(before), RULES.of(Samples.ONE));
    assertThat(script.indexOf("-I KUBE-SERVICES")).isPositive();
    assertThat(script.indexOf("-j REJECT")).isGreaterThan(script.indexOf("-I KUBE-SERVICES"));
  }

  @Test
  void aLargeChangeTakesManyCommitsAndIsLedToInTheLast() throws IOException {
    PartialScript script = new PartialScript(ChainNames.SERVICES, COMMIT_SIZE);
    script.change(PortRules.NONE, RULES.of(Samples.WEB));
    script.change(PortRules.NONE, RULES.of(Samples.ONE));
    List<String> commits = commits(script);
    assertThat(commits).hasSize(2);
    assertThat(commits.getFirst()).contains(chains(Samples.WEB));
    assertThat(commits.getFirst()).startsWith("*nat\n").doesNotContain("-I ", "KUBE-SERVICES");
    assertThat(commits.getLast()).contains(chains(Samples.ONE));
    assertThat(commits.getLast()).startsWith("*nat\n").contains("default/web:http", "default/one");
  }

  @Test
  void chainsGoInManyCommitsAfterWhatLedToThem() throws IOException {
    PartialScript script = new PartialScript(ChainNames.SERVICES, COMMIT_SIZE);
    script.change(RULES.of(Samples.WEB), PortRules.NONE);
    List<String> commits = commits(script);
    int gone = RULES.of(Samples.WEB).chains().size();
    assertThat(commits).hasSize((gone + COMMIT_SIZE - 1) / COMMIT_SIZE).hasSizeGreaterThan(1);
    assertThat(commits.getFirst()).contains("-D KUBE-SERVICES");
    assertThat(commits.subList(1, commits.size()))
        .allSatisfy(commit -> assertThat(commit).startsWith("*nat\n:").doesNotContain("-D "));
    assertThat(String.join("", commits).lines().filter(line -> line.startsWith("-X ")))
        .hasSize(gone);
  }

  /** The kernel refuses a commit that deletes a chain which a rule still leads to. */
  @Test
  void noCommitDeletesAChainThatALaterOneLeadsFrom() throws IOException {
    ScriptModel kernel = new ScriptModel();
    PartialScript script = new PartialScript(ChainNames.SERVICES, COMMIT_SIZE);
    for (ServicePort port : List.of(Samples.WEB, Samples.ONE)) {
      PortRules rules = RULES.of(port);
      script.change(rules, PortRules.NONE);
      rules
          .chains()
          .forEach(
              (chain, texts) ->
                  texts.forEach(text -> kernel.rule(chain, ScriptModel.target(text))));
      rules.shared().stream()
          .filter(shared -> shared.table() == Table.NAT)
          .forEach(shared -> kernel.rule(shared.chain(), ScriptModel.target(shared.rule())));
    }
    text(script).lines().forEach(kernel::carryOut);
    assertThat(kernel.commits).isGreaterThan(2);
    assertThat(kernel.chains.values()).allMatch(List::isEmpty);
  }

  @Test
  void nothingChangesNothing() {
    PartialScript script = new PartialScript(ChainNames.SERVICES, COMMIT_SIZE);
    script.change(RULES.of(Samples.WEB), RULES.of(Samples.WEB));
    assertThat(script.isEmpty()).isTrue();
  }

  private static ServicePort with(ServicePort port, List<Backend> backends) {
    return new ServicePort(port.id(), port.frontends(), backends);
  }

  private static String script(PortRules before, PortRules after) throws IOException {
    PartialScript script = new PartialScript(ChainNames.SERVICES, COMMIT_SIZE);
    script.change(before, after);
    return text(script);
  }

  /** How the chains of a Service port are named before they are written. */
  private static List<String> chains(ServicePort port) {
    return RULES.of(port).chains().keySet().stream().map(name -> ":" + name + " ").toList();
  }

  private static List<String> commits(PartialScript script) throws IOException {
    return List.of(text(script).split("(?<=COMMIT\n)"));
  }

  private static String text(PartialScript script) throws IOException {
    StringBuilder text = new StringBuilder();
    script.writeTo(text);
    return text.toString();
  }
}
