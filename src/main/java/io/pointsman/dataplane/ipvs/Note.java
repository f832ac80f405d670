// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.dataplane.Dataplane.Phase;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What stands as the alias of kube-ipvs0: the phase, and the settings of the kernel as they were
 * before. It goes when the device does, and it is missing when the device is kube-proxy's.
 *
 * @param phase {@link Phase#ABSENT} when there is no note
 * @param found whether the device was there before, and who made it may serve by it still
 * @param before settings by name, to be put back in the end
 */
record Note(Phase phase, boolean found, Map<String, String> before) {
  static final Note NONE = new Note(Phase.ABSENT, false, Map.of());

  private static final String OWNER = "pointsman";
  private static final String FOUND = "found";

  Note {
    before = Collections.unmodifiableMap(new TreeMap<>(before));
  }

  /** Reads an alias; words that are not known are left out. */
  static Note parse(String alias) {
    String[] words = alias.split(" ", -1);
    if (!words[0].equals(OWNER) || words.length < 2) {
      return NONE;
    }
    boolean found = List.of(words).contains(FOUND);
    Map<String, String> before = new TreeMap<>();
    for (String word : words) {
      int equals = word.indexOf('=');
      if (equals > 0) {
        before.put(word.substring(0, equals), word.substring(equals + 1));
      }
    }
    for (Phase phase : Phase.values()) {
      if (text(phase).equals(words[1])) {
        return new Note(phase, found, before);
      }
    }
    // A word that nobody here wrote is taken for the phase that leaves all traffic alone.
    return new Note(Phase.PREPARED, found, before);
  }

  Note in(Phase other) {
    return new Note(other, found, before);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(OWNER).append(' ').append(text(phase));
    if (found) {
      text.append(' ').append(FOUND);
    }
    before.forEach((name, value) -> text.append(' ').append(name).append('=').append(value));
    return text.toString();
  }

  private static String text(Phase phase) {
    return phase.name().toLowerCase(Locale.ROOT);
  }
}
