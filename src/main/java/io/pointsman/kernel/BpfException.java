// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * A BPF call failed. The message has the operation, the object, the error's name and the end of the
 * verifier's log; the log as a whole is in {@link #verifierLog()}.
 */
public final class BpfException extends KernelException {
  private static final int SUMMARY_LINES = 8;

  private final String verifierLog;

  /** Without a verifier's log. */
  public BpfException(String operation, String object, int number) {
    this(operation, object, number, "", "");
  }

  /**
   * From a failed call.
   *
   * @param number the positive error number
   * @param library what libbpf had to say, one warning per line, may be empty
   * @param verifierLog the verifier's log, may be empty
   */
  public BpfException(
      String operation, String object, int number, String library, String verifierLog) {
    super(operation, object, number, detail(library, verifierLog));
    this.verifierLog = verifierLog;
  }

  /** The verifier's whole log, empty when the verifier had no part in it. */
  public String verifierLog() {
    return verifierLog;
  }

  private static String detail(String library, String verifierLog) {
    String text = verifierLog.isBlank() ? library : verifierLog;
    String[] lines =
        text.lines().map(String::strip).filter(line -> !line.isEmpty()).toArray(String[]::new);
    int from = Math.max(0, lines.length - SUMMARY_LINES);
    StringBuilder summary = new StringBuilder();
    for (int i = from; i < lines.length; i++) {
      summary.append(i == from ? ": " : "; ").append(lines[i]);
    }
    return summary.toString();
  }
}
