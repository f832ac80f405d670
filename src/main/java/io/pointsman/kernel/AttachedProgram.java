// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * A program found attached somewhere.
 *
 * @param name empty when the kernel does not tell (it wants CAP_SYS_ADMIN)
 */
public record AttachedProgram(int id, String name) {
  @Override
  public String toString() {
    return name.isEmpty() ? "program " + id : name + " (program " + id + ")";
  }
}
