// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Who claims which place, and who has it; a change costs as much as the places it touches. */
final class ClaimIndex {
  private final Map<Claim.Place, List<Claim>> claims = new HashMap<>();

  /** The claim that has the place; somebody must claim it. */
  Claim winner(Claim.Place place) {
    List<Claim> claimants = claims.get(place);
    if (claimants == null) {
      throw new IllegalStateException("nobody claims " + place);
    }
    return claimants.getFirst();
  }

  /**
   * Puts a Service's new claims in place of its old ones.
   *
   * @param touched receives the other Services whose frontends or problems may have changed
   */
  void replace(
      Map<Claim.Place, Claim> before, Map<Claim.Place, Claim> after, Set<ObjectKey> touched) {
    before.forEach(
        (place, claim) -> {
          if (!claim.equals(after.get(place))) {
            change(place, List.of(claim), List.of(), touched);
          }
        });
    after.forEach(
        (place, claim) -> {
          if (!claim.equals(before.get(place))) {
            change(place, List.of(), List.of(claim), touched);
          }
        });
  }

  private void change(
      Claim.Place place, List<Claim> without, List<Claim> with, Set<ObjectKey> touched) {
    List<Claim> old = claims.getOrDefault(place, List.of());
    List<Claim> next = new ArrayList<>(old);
    next.removeAll(without);
    next.addAll(with);
    next.sort(Claim.RANK);
    if (next.isEmpty()) {
      claims.remove(place);
    } else {
      claims.put(place, List.copyOf(next));
    }
    boolean sameWinner =
        !old.isEmpty() && !next.isEmpty() && old.getFirst().equals(next.getFirst());
    if (!sameWinner) {
      old.forEach(claim -> touched.add(claim.service()));
      next.forEach(claim -> touched.add(claim.service()));
    }
  }
}
