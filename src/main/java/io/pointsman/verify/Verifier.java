// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.Target;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.KernelState.BackendAddress;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Compares what was read back from the kernel with what it shall hold. */
public final class Verifier {
  private Verifier() {}

  /** Compares digests, and only when they differ frontend for frontend. */
  public static Verdict verify(DesiredState desired, KernelState kernel) {
    List<String> defects = kernel.defects();
    boolean sameDigest = desired.digest().equals(kernel.digest());
    if (sameDigest && defects.isEmpty()) {
      return Verdict.PROVEN;
    }
    Comparison comparison = new Comparison();
    defects.forEach(comparison::sample);
    if (!sameDigest) {
      comparison.compare(desired, kernel);
    }
    return comparison.verdict(defects.size(), sameDigest);
  }

  /** One comparison under way. */
  private static final class Comparison {
    private final List<String> samples = new ArrayList<>();
    private int missing;
    private int stale;
    private int wrong;

    void compare(DesiredState desired, KernelState kernel) {
      Map<Place, ServicePort> wanted = new HashMap<>();
      for (ServicePort port : desired.ports()) {
        for (Frontend frontend : port.frontends()) {
          wanted.put(
              new Place(frontend.address(), frontend.port(), frontend.protocol().number()), port);
        }
      }
      kernel.forEach(
          (address, port, protocol, backends) -> {
            Place place = new Place(address, port, protocol);
            ServicePort owner = wanted.remove(place);
            if (owner == null) {
              stale++;
              sample(place + " is in the kernel but belongs to no Service.");
            } else {
              compare(place, owner, backends);
            }
          });
      wanted.forEach(
          (place, owner) -> {
            missing++;
            sample(owner.id().text() + ": " + place + " is missing in the kernel.");
          });
    }

    private void compare(Place place, ServicePort owner, List<BackendAddress> found) {
      Set<BackendAddress> lacking = new HashSet<>();
      for (Backend backend : owner.backends()) {
        lacking.add(new BackendAddress(backend.address(), backend.port()));
      }
      List<BackendAddress> foreign = new ArrayList<>();
      for (BackendAddress backend : found) {
        if (!lacking.remove(backend)) {
          foreign.add(backend);
        }
      }
      if (!lacking.isEmpty() || !foreign.isEmpty()) {
        wrong++;
        sample(
            owner.id().text()
                + ": "
                + place
                + part(" lacks the backend ", lacking)
                + (lacking.isEmpty() || foreign.isEmpty() ? "" : " and")
                + part(" has the foreign or repeated backend ", foreign)
                + ".");
      }
    }

    private static String part(String words, Collection<BackendAddress> backends) {
      if (backends.isEmpty()) {
        return "";
      }
      BackendAddress first = backends.iterator().next();
      String more = backends.size() == 1 ? "" : " and " + (backends.size() - 1) + " more";
      return words + new Target(first.address(), first.port()) + more;
    }

    void sample(String sentence) {
      if (samples.size() < Verdict.MAX_SAMPLES) {
        samples.add(sentence);
      }
    }

    Verdict verdict(int defects, boolean sameDigest) {
      if (!sameDigest && missing + stale + wrong == 0) {
        // A frontend that is there twice shows in the sum only.
        wrong++;
        sample("The digest of the kernel's entries differs although each of them is wanted.");
      }
      return new Verdict(missing, stale, wrong, defects, samples);
    }
  }
}
