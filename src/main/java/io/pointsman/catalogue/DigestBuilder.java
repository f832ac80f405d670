// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

/**
 * Sums a {@link Digest} without allocating, one frontend after another with its backends; also fed
 * from raw map bytes. Mixing is the finalizer of SplitMix64 (Steele, Lea, Flood 2014).
 */
public final class DigestBuilder {
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;
  private static final long SECOND = 0xd1b54a32d192ed03L;

  private long high;
  private long low;
  private long frontendHash;

  /** Starts a frontend; the backends that follow belong to it. */
  public void frontend(Address address, int port, int protocol) {
    frontend(address.high(), address.low(), port, protocol);
  }

  /**
   * Starts a frontend from raw values: the address's halves in network order, port in host order.
   */
  public void frontend(long addressHigh, long addressLow, int port, int protocol) {
    long hash = mix(addressHigh + GOLDEN);
    hash = mix(hash ^ (addressLow + SECOND));
    frontendHash = mix(hash ^ (((long) protocol << 16 | port) * GOLDEN));
    add(frontendHash);
  }

  /** Adds a backend of the frontend that was started last. */
  public void backend(Address address, int port) {
    backend(address.high(), address.low(), port);
  }

  /** Adds a backend from raw values. */
  public void backend(long addressHigh, long addressLow, int port) {
    long hash = mix(frontendHash ^ (addressHigh + SECOND));
    hash = mix(hash ^ (addressLow + GOLDEN));
    add(mix(hash ^ (port * SECOND)));
  }

  /** What has been summed so far. */
  public Digest digest() {
    return new Digest(high, low);
  }

  private void add(long hash) {
    low += hash;
    high += mix(hash ^ GOLDEN);
  }

  private static long mix(long value) {
    long z = value;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
