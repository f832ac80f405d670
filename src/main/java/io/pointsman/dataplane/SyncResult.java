// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import java.util.List;

/**
 * What a change did to the kernel.
 *
 * @param written entries added or replaced
 * @param deleted entries taken away
 * @param refused Service ports that could not be programmed, with the reason; all others are served
 */
public record SyncResult(int written, int deleted, List<Refused> refused) {
  /** Nothing had to be done. */
  public static final SyncResult NONE = new SyncResult(0, 0, List.of());

  /** Takes a copy. */
  public SyncResult {
    refused = List.copyOf(refused);
  }

  /** A Service port that is not served and why, in words for a person. */
  public record Refused(io.pointsman.catalogue.ServicePortId id, String reason) {}
}
