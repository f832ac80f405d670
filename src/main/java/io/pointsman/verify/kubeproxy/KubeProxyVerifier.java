// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.catalogue.KubeProxyView;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.kubeproxy.KubeProxyFrontend;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.verify.Place;
import io.pointsman.verify.kubeproxy.Difference.Kind;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Compares what a kube-proxy has in the kernel with what the cluster's Services ask for. */
public final class KubeProxyVerifier {
  private static final Comparator<ServicePortId> ORDER =
      Comparator.comparing(ServicePortId::text)
          .thenComparing(ServicePortId::protocol)
          .thenComparing(ServicePortId::family);

  private final Collection<ExpectedPort> expected;
  private final Set<Protocol> protocols;

  /**
   * Compares with these Service ports.
   *
   * @param protocols of which {@code expected} has all ports; of others nothing is said
   */
  public KubeProxyVerifier(Collection<ExpectedPort> expected, Set<Protocol> protocols) {
    this.expected = expected;
    this.protocols = Set.copyOf(protocols);
  }

  /**
   * Compares. Where the kernel holds rules of more than one mode, those count that fit best, and
   * the others are a difference.
   */
  public KubeProxyVerdict verify(List<KubeProxyState> read) {
    List<KubeProxyState> states = serving(read);
    if (states.isEmpty()) {
      return new Comparison(null).verdict();
    }
    List<KubeProxyVerdict> verdicts = new ArrayList<>();
    states.forEach(state -> verdicts.add(new Comparison(state).verdict()));
    int best = 0;
    for (int i = 1; i < verdicts.size(); i++) {
      if (verdicts.get(i).differences().size() < verdicts.get(best).differences().size()) {
        best = i;
      }
    }
    KubeProxyVerdict verdict = verdicts.get(best);
    List<Difference> others = new ArrayList<>(verdict.others());
    for (int i = 0; i < states.size(); i++) {
      if (i != best) {
        others.add(
            general(
                Kind.STALE,
                "The kernel also holds rules of kube-proxy in "
                    + states.get(i).place()
                    + ", beside those in "
                    + states.get(best).place()
                    + "."));
      }
    }
    return new KubeProxyVerdict(verdict.mode(), verdict.services(), others);
  }

  /** Chains that an earlier mode has left empty do nothing beside those of the present one. */
  private static List<KubeProxyState> serving(List<KubeProxyState> read) {
    List<KubeProxyState> serving = read.stream().filter(each -> each.frontendCount() > 0).toList();
    return serving.isEmpty() ? read : serving;
  }

  private static Difference general(Kind kind, String sentence) {
    return new Difference(kind, "", "", "", sentence);
  }

  /** A Service port's claim to a place. */
  private record Claim(ExpectedPort port, ExpectedPort.Place place) {}

  /** One comparison under way. */
  private final class Comparison {
    private final @Nullable KubeProxyState state;
    private final Map<Place, List<Claim>> wanted = new HashMap<>();
    private final Map<ServicePortId, Set<Difference>> found = new HashMap<>();
    private final Map<String, ServicePortId> names = new HashMap<>();
    private final Set<Difference> others = new LinkedHashSet<>();

    Comparison(@Nullable KubeProxyState state) {
      this.state = state;
      for (ExpectedPort port : expected) {
        found.put(port.id(), new LinkedHashSet<>());
        names.put(name(port.id()), port.id());
        for (ExpectedPort.Place place : port.places()) {
          var frontend = place.frontend();
          wanted
              .computeIfAbsent(
                  new Place(frontend.address(), frontend.port(), frontend.protocol().number()),
                  it -> new ArrayList<>(1))
              .add(new Claim(port, place));
        }
      }
    }

    private static String name(ServicePortId id) {
      return id.text() + " " + id.protocol().number() + " " + id.family();
    }

    KubeProxyVerdict verdict() {
      KubeProxyState there = state;
      if (there == null) {
        others.add(general(Kind.MISSING, "The kernel holds no rules of a kube-proxy."));
      } else {
        there.frontends().forEach(each -> compare(there, each));
        there.defects().forEach(each -> others.add(general(Kind.BROKEN, each)));
        there.foreign().forEach(each -> others.add(general(Kind.FOREIGN, each)));
      }
      wanted.forEach((place, claims) -> claims.forEach(claim -> missing(place, claim)));
      List<ServiceVerdict> services = new ArrayList<>();
      for (ExpectedPort port : expected) {
        Set<Difference> differences = found.getOrDefault(port.id(), Set.of());
        services.add(new ServiceVerdict(port.id(), List.copyOf(differences), notCompared(port)));
      }
      services.sort(Comparator.comparing(ServiceVerdict::id, ORDER));
      return new KubeProxyVerdict(
          Optional.ofNullable(there).map(KubeProxyState::mode), services, List.copyOf(others));
    }

    private void missing(Place place, Claim claim) {
      add(
          claim.port().id(),
          new Difference(
              Kind.MISSING,
              claim.port().id().text(),
              place.toString(),
              "",
              place + " is missing."));
    }

    private void compare(KubeProxyState there, KubeProxyFrontend frontend) {
      Place place = new Place(frontend.address(), frontend.port(), frontend.protocol());
      boolean known = protocols.stream().anyMatch(each -> each.number() == place.protocol());
      if (!known || !KubeProxyView.expectsAt(place.address())) {
        return;
      }
      List<Claim> claims = wanted.remove(place);
      if (claims == null) {
        superfluous(there.mode(), place, frontend);
        return;
      }
      // Of two Services that name one place kube-proxy serves either.
      List<Difference> least = null;
      for (Claim claim : claims) {
        List<Difference> differences =
            new FrontendComparison(there.mode(), claim.port(), claim.place(), place)
                .differences(frontend);
        if (least == null || differences.size() < least.size()) {
          least = differences;
        }
      }
      ServicePortId owner = claims.getFirst().port().id();
      if (least != null) {
        least.forEach(each -> add(owner, each));
      }
    }

    private void superfluous(KubeProxyMode mode, Place place, KubeProxyFrontend frontend) {
      String protocolAndFamily = " " + place.protocol() + " " + place.address().family();
      ServicePortId owner = names.get(frontend.service() + protocolAndFamily);
      // Virtual servers name no Service; those of others have been told by their places.
      boolean foreign = frontend.service().isEmpty() && mode != KubeProxyMode.IPVS;
      Kind kind = foreign ? Kind.FOREIGN : Kind.STALE;
      String words =
          owner != null
              ? " is served and is no address of the Service."
              : foreign
                  ? " is served and belongs to no Service."
                  : " is served, but there is no such Service port.";
      Difference difference =
          new Difference(kind, frontend.service(), place.toString(), "", place + words);
      if (owner == null) {
        others.add(difference);
      } else {
        add(owner, difference);
      }
    }

    private void add(ServicePortId owner, Difference difference) {
      found.computeIfAbsent(owner, id -> new LinkedHashSet<>()).add(difference);
    }

    private static List<String> notCompared(ExpectedPort port) {
      List<String> fields = new ArrayList<>(0);
      if (port.policy().affinity()) {
        fields.add("sessionAffinity");
      }
      if (port.policy().sourceRanges()) {
        fields.add("loadBalancerSourceRanges");
      }
      if (port.hinted()) {
        fields.add("topology hints");
      }
      return fields;
    }
  }
}
