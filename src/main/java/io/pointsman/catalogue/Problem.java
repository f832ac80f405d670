// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.Comparator;

/**
 * Something about a Service or EndpointSlice that a person should know; everything else is served.
 *
 * @param object kind and name, as in {@code Service default/web}
 * @param effect what becomes of it
 * @param reason stable, CamelCase, for machines
 * @param message one sentence that names the field and its value
 * @param remedy one sentence that says what to do
 */
public record Problem(String object, Effect effect, String reason, String message, String remedy) {
  /** By object, then reason, then message: the same whatever order events came in. */
  public static final Comparator<Problem> ORDER =
      Comparator.comparing(Problem::object)
          .thenComparing(Problem::reason)
          .thenComparing(Problem::message);

  /** For a person, in one line. */
  public String text() {
    return object + ": " + message + " " + remedy;
  }

  /** What a problem does to the object. */
  public enum Effect {
    /** The part that the message names is not served. */
    NOT_SERVED,
    /** It is served, but without what the message names, because this version does not have it. */
    SERVED_WITHOUT
  }
}
