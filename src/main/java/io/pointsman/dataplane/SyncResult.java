// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import java.util.List;

/**
 * What a change did to the kernel.
 *
 * @param written entries added or replaced
 * @param deleted entries taken away
 * @param refused Service ports that could not be programmed, with the reason; all others are served
 * @param fallbacks a sentence for each part of the change that the kernel did not take at first and
 *     that was then written in full, with what was refused; it is served
 */
public record SyncResult(int written, int deleted, List<Refused> refused, List<String> fallbacks) {
  /** Nothing had to be done. */
  public static final SyncResult NONE = new SyncResult(0, 0, List.of());

  /** Takes copies. */
  public SyncResult {
    refused = List.copyOf(refused);
    fallbacks = List.copyOf(fallbacks);
  }

  /** A change that the kernel took as it was sent. */
  public SyncResult(int written, int deleted, List<Refused> refused) {
    this(written, deleted, refused, List.of());
  }

  /** A Service port that is not served and why, in words for a person. */
  public record Refused(io.pointsman.catalogue.ServicePortId id, String reason) {}
}
