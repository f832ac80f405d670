// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The image built by the project's own Dockerfile. */
final class ProductImage {
  /** Names an archive that is built already, where building it again would take long. */
  static final String BUILT = "pointsman.image";

  private ProductImage() {}

  /** The image as a docker-archive, built when the sources have changed. */
  static Path archive() {
    var built = System.getProperty(BUILT);
    if (built != null) {
      return Path.of(built);
    }
    try {
      var process =
          new ProcessBuilder("scripts/image")
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      process.getOutputStream().close();
      var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() != 0) {
        throw new IllegalStateException("scripts/image failed: see above");
      }
      var lines = out.strip().lines().toList();
      return Path.of(lines.getLast());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while the image was built", e);
    }
  }
}
