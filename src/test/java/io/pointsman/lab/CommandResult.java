// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.util.List;

/**
 * What a command left.
 *
 * @param command the command and its arguments
 * @param exit its exit status, 128 + n when it ended by signal n
 * @param out all it wrote to standard output
 * @param err all it wrote to standard error
 */
public record CommandResult(List<String> command, int exit, String out, String err) {
  /** Whether the exit status is 0. */
  public boolean ok() {
    return exit == 0;
  }

  /**
   * This result.
   *
   * @throws LabException when the exit status is not 0, with all the command wrote
   */
  public CommandResult check() {
    if (!ok()) {
      throw new LabException(
          "'%s' ended with %d: %s%s".formatted(String.join(" ", command), exit, err, out).strip());
    }
    return this;
  }
}
