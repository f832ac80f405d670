// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.Images;
import io.pointsman.testing.uml.InnerMachine;
import io.pointsman.testing.uml.InnerTests;
import io.pointsman.testing.uml.UserModeLinux;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;

/** Tests on a lab inside another machine, where importing images would take minutes. */
final class InnerLab {
  static final int MEGABYTES = 8192;
  static final List<String> MODULES =
      List.of("ip_vs", "dummy", "ip_set", "br_netfilter", "nf_conntrack_netlink");

  /**
   * Of User-Mode Linux, besides: it has rules in ip_tables only, whose programs look for modules
   * where a container has none.
   */
  private static final List<String> TABLES =
      List.of(
          "iptable_nat",
          "iptable_filter",
          "iptable_mangle",
          "ip6table_nat",
          "ip6table_filter",
          "ip6table_mangle");

  private InnerLab() {}

  /** User-Mode Linux for a lab, which may say nothing new for so long. */
  static UserModeLinux userModeLinux(Duration patience) {
    return new UserModeLinux(
        MEGABYTES, Stream.concat(MODULES.stream(), TABLES.stream()).toList(), patience);
  }

  /** Runs classes in a machine, each test taking that long at most. */
  static List<DynamicTest> run(InnerMachine machine, Duration each, Class<?>... classes) {
    return InnerTests.run(machine, each, unpack(), classes);
  }

  /** Unpacks all images; by these options of its JVM a lab inside finds them. */
  static List<String> unpack() {
    var image = ProductImage.archive();
    return List.of(
        "-D" + ProductImage.BUILT + "=" + image,
        "-D" + Images.UNPACKED + "=" + Images.unpack(image));
  }
}
