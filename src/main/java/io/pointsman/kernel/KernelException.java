// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/** The kernel refused something: what was asked, of what, and the error number. */
public class KernelException extends RuntimeException {
  private final String operation;
  private final String object;
  private final int number;

  /**
   * From an error number.
   *
   * @param operation what was asked, such as "update map"
   * @param object what it was asked of, such as a map's name or a path
   * @param number the positive error number
   */
  public KernelException(String operation, String object, int number) {
    this(operation, object, number, "");
  }

  KernelException(String operation, String object, int number, String detail) {
    super(operation + " " + object + ": " + Errno.describe(number) + detail);
    this.operation = operation;
    this.object = object;
    this.number = number;
  }

  /** What was asked. */
  public String operation() {
    return operation;
  }

  /** What it was asked of. */
  public String object() {
    return object;
  }

  /** What the kernel said. */
  public Errno errno() {
    return Errno.of(number);
  }
}
