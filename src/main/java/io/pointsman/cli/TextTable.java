// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;

/** Rows in columns as wide as they must be, as kubectl prints them. */
final class TextTable {
  private static final String GAP = "   ";

  private final List<String[]> rows = new ArrayList<>();

  TextTable(String... heads) {
    rows.add(heads);
  }

  void row(String... cells) {
    rows.add(cells);
  }

  boolean isEmpty() {
    return rows.size() == 1;
  }

  void print(PrintWriter out) {
    int columns = rows.getFirst().length;
    int[] widths = new int[columns];
    for (String[] row : rows) {
      for (int i = 0; i < columns; i++) {
        widths[i] = Math.max(widths[i], row[i].length());
      }
    }
    for (String[] row : rows) {
      StringBuilder line = new StringBuilder();
      for (int i = 0; i < columns; i++) {
        String cell = row[i];
        // Nothing stands behind the last column.
        line.append(i + 1 < columns ? cell + " ".repeat(widths[i] - cell.length()) + GAP : cell);
      }
      out.println(line);
    }
  }
}
