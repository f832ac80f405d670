// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.Images;
import io.pointsman.testing.uml.InnerTests;
import io.pointsman.testing.uml.UserModeLinux;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** The edges of IPVS on a whole cluster in User-Mode Linux, because this kernel may lack ip_vs. */
@Tag("lab-uml")
@OnlyInLab("the cluster is made inside User-Mode Linux")
class IpvsEdgesTest {
  static final int MEGABYTES = 8192;
  static final List<String> MODULES =
      List.of("ip_vs", "dummy", "ip_set", "br_netfilter", "nf_conntrack_netlink");

  @TestFactory
  List<DynamicTest> inside() {
    var image = ProductImage.archive();
    System.setProperty(ProductImage.BUILT, image.toString());
    System.setProperty(Images.UNPACKED, Images.unpack(image).toString());
    try {
      return InnerTests.run(
          new UserModeLinux(MEGABYTES, MODULES, Duration.ofMinutes(45)),
          Duration.ofMinutes(15),
          IpvsEdgesInside.class);
    } finally {
      System.clearProperty(ProductImage.BUILT);
      System.clearProperty(Images.UNPACKED);
    }
  }
}
