// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * A rule that only nft can show, in a chain of its own: with it iptables-save leaves out the whole
 * table.
 */
public final class OnlyNft {
  private OnlyNft() {}

  /** What nft is told to hide a table, as {@code "ip filter"}; it is made when it is not there. */
  public static String hides(String table) {
    return "add table %1$s; add chain %1$s elsewhere; ".formatted(table)
        + "add rule %s elsewhere meta mark set numgen inc mod 2".formatted(table);
  }

  /** What nft is told to show it again; it may be shown already. */
  public static String shows(String table) {
    return "add chain %1$s elsewhere; flush chain %1$s elsewhere; delete chain %1$s elsewhere"
        .formatted(table);
  }
}
