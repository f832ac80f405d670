// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.KernelState.Setting;
import io.pointsman.kernel.Sysctl;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's setting that node ports at 127.0.0.1 need. What it was before is noted beside the
 * phase, and put back in the end.
 */
final class RouteLocalnet {
  private static final Sysctl SETTING = Sysctls.ROUTE_LOCALNET;
  private static final String ON = "1";

  private RouteLocalnet() {}

  /** Switches it on, where that is possible. */
  static void switchOn() {
    boolean unused = SETTING.set(ON);
  }

  /**
   * Puts it back, unless somebody has changed it since.
   *
   * @throws DataplaneException when it cannot be written
   */
  static void restore(SavedTables saved) {
    String before = saved.before(SETTING.text());
    if (before == null || saved.handedOver() || !ON.equals(SETTING.value())) {
      return;
    }
    if (!SETTING.set(before)) {
      throw new DataplaneException(
          "set %1$s back to %2$s: it cannot be written here. Set it on the node: sysctl -w %1$s=%2$s"
              .formatted(SETTING.text(), before),
          null);
    }
  }

  /** As it is now, where it is needed. */
  static Optional<Setting> setting(SavedTables saved, List<String> doors, Phase phase) {
    if (!isNeeded(saved.family, doors, phase)) {
      return Optional.empty();
    }
    String name = SETTING.text();
    return Optional.ofNullable(SETTING.value())
        .map(value -> new Setting(name, value, saved.before(name)));
  }

  /** What it was before it was, or is to be, changed; null when it is left alone. */
  static @Nullable String before(SavedTables saved, List<String> wantedDoors, Phase target) {
    String before = saved.before(SETTING.text());
    String now = SETTING.value();
    boolean changes =
        isNeeded(saved.family, wantedDoors, target) && !ON.equals(now) && SETTING.writable();
    return before == null && changes ? now : before;
  }

  private static boolean isNeeded(IpFamily family, List<String> doors, Phase phase) {
    return family == IpFamily.IPV4 && phase == Phase.ACTIVE && NodePortDoors.leadLoopback(doors);
  }
}
