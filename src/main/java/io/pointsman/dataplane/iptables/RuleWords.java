// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

/** The words of one rule, one after the other; what is quoted stays together. */
final class RuleWords {
  private final String text;
  private int at;

  RuleWords(String text) {
    this.text = text;
    skipSpaces();
  }

  boolean hasNext() {
    return at < text.length();
  }

  /** The next word; empty when there is none. */
  String next() {
    if (!hasNext()) {
      return "";
    }
    String word = text.charAt(at) == '"' ? quoted() : bare();
    skipSpaces();
    return word;
  }

  /** The words up to the next argument's name, with one space between them. */
  String value() {
    if (!hasNext() || isName()) {
      return "";
    }
    String value = next();
    while (hasNext() && !isName()) {
      value = value + " " + next();
    }
    return value;
  }

  private boolean isName() {
    char first = text.charAt(at);
    boolean alone = at + 1 == text.length() || text.charAt(at + 1) == ' ';
    return first == '-' || first == '!' && alone;
  }

  private String bare() {
    int start = at;
    int space = text.indexOf(' ', start);
    at = space < 0 ? text.length() : space;
    return text.substring(start, at);
  }

  /** Takes a backslash out, and what follows it as it is. */
  private String quoted() {
    StringBuilder word = new StringBuilder();
    for (at++; hasNext() && text.charAt(at) != '"'; at++) {
      if (text.charAt(at) == '\\' && at + 1 < text.length()) {
        at++;
      }
      word.append(text.charAt(at));
    }
    at++;
    return word.toString();
  }

  private void skipSpaces() {
    while (hasNext() && text.charAt(at) == ' ') {
      at++;
    }
  }
}
