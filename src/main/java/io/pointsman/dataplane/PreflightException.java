// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.dataplane.Preflight.Finding;

/** What a preflight would have found came up later: where settings of a serving node changed. */
public final class PreflightException extends DataplaneException {
  private static final long serialVersionUID = 1L;

  private final String reason;

  /** Says what was found and what to do. */
  public PreflightException(Finding finding) {
    super((finding.message() + " " + finding.remedy()).strip(), null);
    this.reason = finding.reason();
  }

  /** The finding's reason. */
  public String reason() {
    return reason;
  }
}
