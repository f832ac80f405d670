// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Prints reports one after the other: the first as a whole, then the lines that have changed. Moves
 * no cursor, so that what it prints can go into a file.
 */
final class StatusPrinter {
  private static final String GAP = "   ";

  private final PrintWriter out;
  private final OutputOption.Format format;
  private final Map<String, String> headlines = new HashMap<>();
  private final Map<String, List<String>> rows = new HashMap<>();
  private final List<Integer> widths = new ArrayList<>();
  private String last = "";

  StatusPrinter(PrintWriter out, OutputOption.Format format) {
    this.out = out;
    this.format = format;
    StatusReport.HEADS.forEach(head -> widths.add(head.length()));
  }

  /** Prints what is not as it was when this was called before. */
  void printChanges(StatusReport report) {
    switch (format) {
      case table -> printLines(report);
      case json -> printWhole(report.jsonLine(), "");
      case yaml -> printWhole(report.yaml().stripTrailing(), "---");
    }
    out.flush();
  }

  private void printWhole(String text, String before) {
    if (!text.equals(last)) {
      last = text;
      if (!before.isEmpty() && !text.startsWith(before)) {
        out.println(before);
      }
      out.println(text);
    }
  }

  private void printLines(StatusReport report) {
    Map<String, String> lines = report.headlines();
    lines.forEach(
        (name, line) -> {
          if (!line.equals(headlines.put(name, line))) {
            out.println(line);
          }
        });
    headlines.keySet().removeIf(name -> gone(name, lines.containsKey(name)));
    Map<String, List<String>> now = report.rows();
    if (rows.isEmpty() && !now.isEmpty()) {
      now.values().forEach(this::widen);
      printRow(StatusReport.HEADS);
    }
    now.forEach(
        (name, row) -> {
          if (!row.equals(rows.put(name, row))) {
            widen(row);
            printRow(row);
          }
        });
    rows.keySet().removeIf(name -> gone(name, now.containsKey(name)));
  }

  private boolean gone(String name, boolean present) {
    if (!present) {
      out.println(name + ": gone");
    }
    return !present;
  }

  /** Columns grow, and do not shrink again. */
  private void widen(List<String> row) {
    for (int i = 0; i < row.size(); i++) {
      widths.set(i, Math.max(widths.get(i), row.get(i).length()));
    }
  }

  private void printRow(List<String> row) {
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < row.size(); i++) {
      String cell = row.get(i);
      boolean end = i + 1 == row.size();
      line.append(cell).append(end ? "" : " ".repeat(widths.get(i) - cell.length()) + GAP);
    }
    out.println(line);
  }
}
