// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import io.pointsman.lab.Images;

/**
 * The images that tests start.
 *
 * @param product Pointsman's, as {@code repository:tag}
 * @param server the tests' servers and clients, as {@link Images#AGNHOST}
 * @param pullPolicy of both
 */
record TestImages(String product, String server, String pullPolicy) {
  /** Both are on every node under the names that they are built with. */
  static final TestImages LOADED =
      new TestImages("docker.io/library/pointsman:dev", Images.AGNHOST, "Never");

  TestImages {
    if (product.lastIndexOf(':') <= product.lastIndexOf('/')) {
      throw new IllegalArgumentException(
          "'%s' names an image without a tag: give repository:tag".formatted(product));
    }
  }

  /** What tells the chart to use them, for {@code --set}. */
  String values() {
    var tag = product.lastIndexOf(':');
    return "image.repository=%s,image.tag=%s,image.pullPolicy=%s"
        .formatted(product.substring(0, tag), product.substring(tag + 1), pullPolicy);
  }

  /** A manifest that is written for {@link #LOADED} with these images instead. */
  String in(String manifest) {
    return manifest
        .replace("image: " + Images.AGNHOST, "image: " + server)
        .replace("imagePullPolicy: Never", "imagePullPolicy: " + pullPolicy);
  }
}
