// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.kernel.Iptables.Variant;

/**
 * How many chains go into one commit. iptables-nft gets slower with each chain of a commit (by the
 * square), ip_tables with each commit.
 */
final class CommitSize {
  private static final int NFT = 500;

  private CommitSize() {}

  static int of(Variant variant) {
    return switch (variant) {
      case NFT -> NFT;
      case LEGACY -> Integer.MAX_VALUE;
    };
  }
}
