// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import io.pointsman.kernel.OnlyNft;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rules around virtual servers in a table that iptables-save leaves out. */
class HiddenRulesTest {
  private final KernelSandbox node = new KernelSandbox();
  private final CommandRunner commands = new CommandRunner();
  private final Iptables tool = new Iptables(commands, Family.IPV4, Variant.NFT);
  private final Rules rules = new Rules(tool, IpvsOptions.defaults());

  @AfterEach
  void close() {
    node.close();
  }

  @ParameterizedTest
  @ValueSource(strings = {"nat", "filter"})
  void nothingIsWrittenTwiceNorTakenForRemoved(String table) {
    node.runInNamespace(
        () -> {
          IpSets sets = new IpSets(commands, List.of(IpFamily.IPV4));
          sets.create(sets.read(), List.of());
          rules.write(true);
          List<String> before = saved();
          hide(table);
          assertThat(rules.write(true)).isZero();
          assertThat(rules.defects(true))
              .singleElement(STRING)
              .startsWith("iptables-nft-save leaves out the table " + table);
          for (ThrowingCallable action : List.<ThrowingCallable>of(rules::needAll, rules::remove)) {
            assertThatThrownBy(action)
                .isInstanceOf(DataplaneException.class)
                .hasMessageContaining("iptables-nft-save leaves out the table " + table);
          }
          show(table);
          assertThat(saved()).isEqualTo(before);
          rules.needAll();
          rules.remove();
          assertThat(saved()).noneMatch(line -> line.contains("KUBE-"));
          hide(table);
          rules.remove();
        });
  }

  private void hide(String table) {
    commands.lines("nft", OnlyNft.hides("ip " + table));
  }

  private void show(String table) {
    commands.lines("nft", OnlyNft.shows("ip " + table));
  }

  private List<String> saved() {
    List<String> lines = new ArrayList<>();
    tool.save(line -> lines.add(line.replaceAll(" \\[.*", "")));
    lines.removeIf(line -> line.startsWith("#"));
    return lines;
  }
}
