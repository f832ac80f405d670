// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A table nat that carries scripts out as the kernel does; of each rule it knows the target. */
final class ScriptModel {
  /** The targets of each chain's rules. */
  final Map<String, List<String>> chains = new HashMap<>();

  int commits;

  void rule(String chain, String target) {
    chains.computeIfAbsent(chain, name -> new ArrayList<>()).add(target);
  }

  /** Takes a line of iptables-restore; fails where the kernel refuses it. */
  void carryOut(String line) {
    String[] words = line.split(" ", -1);
    if (line.startsWith(":")) {
      chains.put(words[0].substring(1), new ArrayList<>());
    } else if (line.startsWith("-D ")) {
      assertThat(chains.getOrDefault(words[1], List.of()).remove(target(line))).as(line).isTrue();
    } else if (line.startsWith("-X ")) {
      assertThat(chains.remove(words[1])).as(line).isEmpty();
      assertThat(chains.values()).as(line).noneMatch(rules -> rules.contains(words[1]));
    } else if (line.equals("COMMIT")) {
      commits++;
    } else {
      assertThat(line).isEqualTo("*nat");
    }
  }

  static String target(String rule) {
    return rule.replaceFirst(".* -j ", "").replaceFirst(" .*", "");
  }
}
