// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.iptables.PortRules.SharedRule;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Preflight asks the kernel for each match and target that is written, and for no other. */
public class ExtensionsTest {
  private static final Pattern EXTENSION =
      Pattern.compile("-m (\\w+)|-j (?!ACCEPT|DROP|RETURN)([A-Z]+)(?= |$)");

  @Test
  void allThatIsWrittenIsAskedFor() {
    List<String> written = new ArrayList<>(List.of(FixedRules.LOOPBACK_GUARD));
    FixedRules.CHAINS.values().forEach(table -> table.values().forEach(written::addAll));
    FixedRules.JUMPS.forEach(jump -> written.add(jump.rule()));
    written.addAll(
        NodePortDoors.rules(IpFamily.IPV4, Set.of(), Set.of(Address.parse("192.0.2.1"))));
    for (boolean inTurn : new boolean[] {true, false}) {
      var rules = new ServiceRules(inTurn, Optional.of(AddressRange.parse("10.0.0.0/8")), true);
      Samples.ALL.stream()
          .map(rules::of)
          .forEach(
              port -> {
                port.chains().values().forEach(written::addAll);
                port.shared().stream().map(SharedRule::rule).forEach(written::add);
              });
    }
    assertThat(extensions(FixedRules.EXAMPLES)).isEqualTo(extensions(written));
  }

  /** What stands behind one that iptables does not read would not be asked for. */
  @ParameterizedTest
  @EnumSource(Family.class)
  void allExamplesAreRead(Family family) {
    String script =
        Stream.of(FixedRules.EXAMPLES, FixedRules.SCTP_EXAMPLE)
            .flatMap(List::stream)
            .map(rule -> "-A EXAMPLE " + rule + "\n")
            .collect(Collectors.joining("", "*filter\n:EXAMPLE - [0:0]\n", "COMMIT\n"));
    try (KernelSandbox sandbox = new KernelSandbox()) {
      boolean read =
          sandbox.inNamespace(
              () -> {
                var tool = new Iptables(new CommandRunner(), family, Variant.NFT);
                var reading = List.of(tool.name() + "-restore", "--test", "--noflush");
                new CommandRunner().run(reading, script, line -> {});
                return true;
              });
      assertThat(read).isTrue();
    }
  }

  /** The matches and targets that rules name. */
  public static Set<String> extensions(Collection<String> rules) {
    Set<String> found = new TreeSet<>();
    for (String rule : rules) {
      EXTENSION
          .matcher(rule)
          .results()
          .forEach(named -> found.add(named.group(1) == null ? named.group(2) : named.group(1)));
    }
    return found;
  }
}
