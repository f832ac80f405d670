// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.dataplane.Dataplane.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The rules of the chain POINTSMAN-STATE: nothing jumps there and they do nothing, but their
 * comments last as long as the rules they speak of, and change with them in one commit.
 */
final class StateRules {
  private StateRules() {}

  /**
   * What the chain shall hold.
   *
   * @param routeLocalnet what the kernel's setting was before, null when it was left alone
   */
  static List<String> of(Phase phase, @Nullable String routeLocalnet) {
    List<String> rules = new ArrayList<>();
    rules.add(comment("phase", phase.name().toLowerCase(Locale.ROOT)));
    if (routeLocalnet != null) {
      rules.add(comment(Sysctls.ROUTE_LOCALNET.text(), routeLocalnet));
    }
    return rules;
  }

  private static String comment(String name, String value) {
    return "-m comment --comment \"" + name + ": " + value + "\"";
  }
}
