// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

/** The lab could not do what it was asked for; the message says what to do where that is known. */
public final class LabException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** With a message for a person. */
  public LabException(String message) {
    super(message);
  }

  /** With a message for a person and what caused it. */
  public LabException(String message, Throwable cause) {
    super(message, cause);
  }
}
