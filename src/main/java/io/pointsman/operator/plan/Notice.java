// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

/**
 * Something that happened and is told as an Event.
 *
 * @param reason stable, CamelCase
 * @param note a sentence for a person
 */
public record Notice(boolean warning, String reason, String note) {
  /** Good or neutral news. */
  public static Notice normal(String reason, String note) {
    return new Notice(false, reason, note);
  }

  /** Something a person may have to look at. */
  public static Notice warning(String reason, String note) {
    return new Notice(true, reason, note);
  }
}
