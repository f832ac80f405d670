// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.Optional;

/**
 * A transport protocol of a Service port, with its IANA number as it stands in IP headers and maps.
 */
public enum Protocol {
  TCP(6),
  UDP(17),
  SCTP(132);

  private final int number;

  Protocol(int number) {
    this.number = number;
  }

  /** The one with this IANA number. */
  public static Optional<Protocol> of(int number) {
    for (Protocol protocol : values()) {
      if (protocol.number == number) {
        return Optional.of(protocol);
      }
    }
    return Optional.empty();
  }

  /** The IANA protocol number. */
  public int number() {
    return number;
  }
}
