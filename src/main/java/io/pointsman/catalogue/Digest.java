// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.HexFormat;

/**
 * 128 bits that identify a set of frontends and their backends whatever their order: the sum of one
 * hash per frontend and one per pair of frontend and backend. Sums can be added and taken away, so
 * a digest follows every change without reading the whole again. It guards against mistakes and
 * lost updates, not against an adversary.
 */
public record Digest(long high, long low) {
  /** The digest of nothing. */
  public static final Digest EMPTY = new Digest(0, 0);

  /** This set together with a disjoint other one. */
  public Digest plus(Digest other) {
    return new Digest(high + other.high, low + other.low);
  }

  /** This set without one that it contains. */
  public Digest minus(Digest other) {
    return new Digest(high - other.high, low - other.low);
  }

  /** The digest of one Service port. */
  public static Digest of(ServicePort port) {
    DigestBuilder sum = new DigestBuilder();
    for (Frontend frontend : port.frontends()) {
      sum.frontend(frontend.address(), frontend.port(), frontend.protocol().number());
      for (Backend backend : port.backends()) {
        sum.backend(backend.address(), backend.port());
      }
    }
    return sum.digest();
  }

  @Override
  public String toString() {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(high) + hex.toHexDigits(low);
  }
}
