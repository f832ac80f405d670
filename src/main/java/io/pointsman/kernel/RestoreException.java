// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** iptables-restore refused a script; the message names the line and what was said of it. */
public final class RestoreException extends RuntimeException {
  /** "line 3 failed", "line 5: CHAIN_DEL failed", "Error occurred at line: 3". */
  private static final Pattern LINE = Pattern.compile("\\bline:? (\\d+)");

  private final int line;
  private final String text;

  private RestoreException(
      String program, int line, String text, CommandRunner.CommandException cause) {
    super(
        program
            + "-restore refused "
            + (line == 0 ? "its input" : "line " + line + " (" + text + ")")
            + ": "
            + cause.said(),
        cause);
    this.line = line;
    this.text = text;
  }

  static RestoreException of(
      String program, CommandRunner.Input script, CommandRunner.CommandException cause) {
    Matcher named = LINE.matcher(cause.said());
    int line = named.find() ? Integer.parseInt(named.group(1)) : 0;
    return new RestoreException(program, line, ScriptLines.line(script, line), cause);
  }

  /** The number of the refused line, from 1; 0 when none was named. */
  public int line() {
    return line;
  }

  /** The refused line, empty when none was named. */
  public String text() {
    return text;
  }
}
