// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.Images;
import io.pointsman.testing.uml.InnerMachine;
import io.pointsman.testing.uml.InnerTests;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;

/** Tests on a lab inside another machine, where importing images would take minutes. */
final class InnerLab {
  static final int MEGABYTES = 8192;
  static final List<String> MODULES =
      List.of("ip_vs", "dummy", "ip_set", "br_netfilter", "nf_conntrack_netlink");

  private InnerLab() {}

  /** Runs classes in a machine, each test taking that long at most. */
  static List<DynamicTest> run(InnerMachine machine, Duration each, Class<?>... classes) {
    unpack();
    try {
      return InnerTests.run(machine, each, classes);
    } finally {
      System.clearProperty(ProductImage.BUILT);
      System.clearProperty(Images.UNPACKED);
    }
  }

  /** Unpacks all images, and tells the properties that a JVM inside gets. */
  static void unpack() {
    var image = ProductImage.archive();
    System.setProperty(ProductImage.BUILT, image.toString());
    System.setProperty(Images.UNPACKED, Images.unpack(image).toString());
  }
}
