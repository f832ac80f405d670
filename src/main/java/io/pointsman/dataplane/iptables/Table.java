// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The tables that Services are served from. */
enum Table {
  NAT,
  FILTER;

  /** As iptables-save writes it. */
  String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The table of this name, null when it is none of these. */
  static @Nullable Table of(String text) {
    return switch (text) {
      case "nat" -> NAT;
      case "filter" -> FILTER;
      default -> null;
    };
  }
}
