// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import io.pointsman.kernel.CommandRunner.Input;
import io.pointsman.kernel.Iptables.View;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The lines of a script for iptables-restore, which is never held as a whole. */
final class ScriptLines {
  private ScriptLines() {}

  /** The same script as the view has its lines written. */
  static Input seen(Input script, View view) {
    return out -> script.writeTo(new ViewedLines(view, out));
  }

  /** One line, by its number from 1; empty when there is none. Has the script written once more. */
  static String line(Input script, int number) {
    LineFinder finder = new LineFinder(number);
    try {
      if (number > 0) {
        script.writeTo(finder);
      }
    } catch (IOException e) {
      return "";
    }
    return finder.found.toString();
  }

  /** Hands on whole lines as the view has them written. */
  private static final class ViewedLines extends LetterByLetter {
    private final StringBuilder line = new StringBuilder();
    private final View view;
    private final Appendable out;

    ViewedLines(View view, Appendable out) {
      this.view = view;
      this.out = out;
    }

    @Override
    public Appendable append(char letter) throws IOException {
      if (letter == '\n') {
        out.append(view.write(line.toString())).append(letter);
        line.setLength(0);
      } else {
        line.append(letter);
      }
      return this;
    }
  }

  /** Picks one line out of a script by writing it once more. */
  private static final class LineFinder extends LetterByLetter {
    private final StringBuilder found = new StringBuilder();
    private int left;

    LineFinder(int wanted) {
      this.left = wanted - 1;
    }

    @Override
    public Appendable append(char letter) {
      if (letter == '\n') {
        left--;
      } else if (left == 0) {
        found.append(letter);
      }
      return this;
    }
  }

  /** Takes text in pieces of any size. */
  private abstract static class LetterByLetter implements Appendable {
    @Override
    public Appendable append(@Nullable CharSequence text) throws IOException {
      return text == null ? this : append(text, 0, text.length());
    }

    @Override
    public Appendable append(@Nullable CharSequence text, int start, int end) throws IOException {
      for (int i = start; text != null && i < end; i++) {
        append(text.charAt(i));
      }
      return this;
    }
  }
}
