// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.nio.file.Path;

/** Compares a pinned map with what an object wants it to be. */
final class MapMismatch {
  private MapMismatch() {}

  static void check(Path pin, MapInfo pinned, MapInfo wanted) {
    StringBuilder differences = new StringBuilder();
    compare(differences, "type", pinned.type(), wanted.type());
    compare(differences, "key size", pinned.keySize(), wanted.keySize());
    compare(differences, "value size", pinned.valueSize(), wanted.valueSize());
    compare(differences, "max entries", pinned.maxEntries(), wanted.maxEntries());
    compare(differences, "flags", pinned.flags(), wanted.flags());
    if (!differences.isEmpty()) {
      throw new BpfException(
          "reuse pinned map", pin.toString(), Errno.EINVAL.number(), differences.toString(), "");
    }
  }

  private static void compare(StringBuilder differences, String what, int pinned, int wanted) {
    if (pinned != wanted) {
      differences.append(
          "%s%s is %d there and %d here"
              .formatted(differences.isEmpty() ? "" : ", ", what, pinned, wanted));
    }
  }
}
