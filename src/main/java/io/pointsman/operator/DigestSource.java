// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import java.time.Instant;
import java.util.Set;

/** The operator's own view of the cluster's Services, to compare the agents' with. */
public interface DigestSource {
  /** The digest as it is. */
  String current();

  /** Every digest that was current at some time in the last minute. */
  Set<String> recent(Instant now);
}
