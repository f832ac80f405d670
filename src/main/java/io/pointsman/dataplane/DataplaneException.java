// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import org.jspecify.annotations.Nullable;

/** A dataplane could not do what was asked; the message names the operation and the object. */
public class DataplaneException extends RuntimeException {
  /** With what went wrong underneath. */
  public DataplaneException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
