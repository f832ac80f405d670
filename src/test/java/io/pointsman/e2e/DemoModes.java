// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.api.LinuxDataplane;
import io.pointsman.lab.Images;
import io.pointsman.lab.KubeProxyMode;
import io.pointsman.lab.LabOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Which dataplanes the demo goes through, and on what. */
final class DemoModes {
  private static final List<LinuxDataplane> KNOWN =
      List.of(LinuxDataplane.IPTABLES, LinuxDataplane.IPVS, LinuxDataplane.BPF);
  private static final int WRONG_USAGE = 2;

  private DemoModes() {}

  /**
   * The dataplanes of these names that this kernel has; ends with a sentence when there is none.
   */
  static List<LinuxDataplane> of(List<String> names) {
    try {
      return of(names, DemoModes::hasIpvs, System.out::println);
    } catch (IllegalArgumentException e) {
      System.err.println("demo: " + e.getMessage());
      System.exit(WRONG_USAGE);
      throw e;
    }
  }

  /**
   * The same on any kernel.
   *
   * @param tell takes a sentence about each that is left out
   * @throws IllegalArgumentException when a name is none, or none is left
   */
  static List<LinuxDataplane> of(
      List<String> names, BooleanSupplier hasIpvs, Consumer<String> tell) {
    var modes = new ArrayList<LinuxDataplane>();
    for (var name : names) {
      var mode =
          KNOWN.stream()
              .filter(each -> Walk.name(each).equalsIgnoreCase(name))
              .findFirst()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "'" + name + "' is no dataplane: use Iptables, IPVS or BPF"));
      if (mode == LinuxDataplane.IPVS && !hasIpvs.getAsBoolean()) {
        tell.accept(
            "demo: IPVS is left out, because this kernel has no ip_vs;"
                + " DEMO_KERNEL=uml runs the demo in User-Mode Linux, which has it");
      } else {
        modes.add(mode);
      }
    }
    if (modes.isEmpty()) {
      throw new IllegalArgumentException("no dataplane is left to show");
    }
    return modes;
  }

  /** A lab for it: three nodes, or one where every system call is dear. */
  static LabOptions lab(String name) {
    var options = LabOptions.named(name);
    return Images.areGiven() ? options.withNodes(1).withKubeProxyMode(KubeProxyMode.IPVS) : options;
  }

  /** What it bears. */
  static Pace pace() {
    return Images.areGiven() ? Pace.SLOW : Pace.FULL;
  }

  private static boolean hasIpvs() {
    return Files.isDirectory(Path.of("/proc/sys/net/ipv4/vs"));
  }
}
