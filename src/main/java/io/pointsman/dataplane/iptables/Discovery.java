// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.HiddenTables;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Iptables.Family;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.Iptables.View;
import io.pointsman.kernel.Together;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Looks where this node's rules are, in nf_tables or in ip_tables; changes nothing. */
final class Discovery {
  private static final String STATE_RULE = "-A " + ChainNames.STATE + " ";
  private static final String PHASE = "phase: ";

  private final List<Place> places = new ArrayList<>();
  private final IptablesOptions options;

  /** What one program sees. */
  static final class Place {
    final Iptables tool;
    int rules;

    /** Whether kube-proxy, or somebody who writes its chains, serves from here. */
    boolean services;

    /** Whether the kubelet says that it writes here. */
    boolean kubelet;

    Phase phase = Phase.ABSENT;

    /** What cannot be seen. */
    final HiddenTables hidden = new HiddenTables();

    /** Whether Pointsman's phase is there and cannot be seen. */
    boolean stateHidden;

    private final View view;

    Place(Iptables tool, View view) {
      this.tool = tool;
      this.view = view;
    }

    private void accept(String line) {
      acceptPhase(view.read(line));
      if (line.startsWith("-A ")) {
        rules++;
        services |= line.startsWith("-A PREROUTING") && line.endsWith(" " + ChainNames.SERVICES);
      } else if (line.startsWith(":KUBE-KUBELET-CANARY")
          || line.startsWith(":KUBE-IPTABLES-HINT")) {
        kubelet = true;
      } else {
        hidden.accept(line);
      }
    }

    private void acceptPhase(@Nullable String line) {
      int at = line != null && line.startsWith(STATE_RULE) ? line.indexOf(PHASE) : -1;
      if (line != null && at > 0) {
        String text = line.substring(at + PHASE.length()).replace("\"", "");
        phase = Phase.valueOf(text.toUpperCase(Locale.ROOT));
      }
    }

    /** Whether anybody uses it. */
    boolean used() {
      return rules > 0 || kubelet;
    }
  }

  private Discovery(IptablesOptions options) {
    this.options = options;
  }

  /** Whether Pointsman has written nowhere; quick, which a look at large tables is not. */
  static boolean absent(IptablesOptions options) {
    return programs(options).stream()
        .filter(Iptables::usable)
        .map(all -> options.tool(all.family(), all.variant()))
        .noneMatch(tool -> tool.has(Table.NAT.text(), ChainNames.STATE));
  }

  /** Each sees all, whoever wrote it. */
  private static List<Iptables> programs(IptablesOptions options) {
    List<Iptables> programs = new ArrayList<>();
    for (Variant variant : Variant.values()) {
      for (Family family : Family.values()) {
        programs.add(new Iptables(options.commands(), family, variant));
      }
    }
    return programs;
  }

  /** Looks at all programs that are installed. */
  static Discovery look(IptablesOptions options) {
    Discovery discovery = new Discovery(options);
    Together.each(programs(options), all -> look(all, options)).stream()
        .flatMap(Optional::stream)
        .forEach(discovery.places::add);
    return discovery;
  }

  /** What is seen by programs that see all; empty when they can do nothing here. */
  private static Optional<Place> look(Iptables all, IptablesOptions options) {
    if (!all.usable()) {
      return Optional.empty();
    }
    Place place = new Place(options.tool(all.family(), all.variant()), options.view());
    all.save(place::accept);
    place.stateHidden = place.hidden.conceal(place.tool, Table.NAT.text(), ChainNames.STATE);
    return Optional.of(place).filter(seen -> seen.used() || all.supported());
  }

  /** Where the rules shall be: with Pointsman's own, else with the node's; nf_tables when none. */
  Optional<Variant> variant() {
    return options
        .variant()
        .filter(wanted -> places.stream().anyMatch(place -> place.tool.variant() == wanted))
        .or(
            () ->
                places.stream()
                    .map(place -> place.tool.variant())
                    .distinct()
                    .max(Comparator.comparingLong(this::weight)));
  }

  private long weight(Variant variant) {
    long weight = variant == Variant.NFT ? 1 : 0;
    for (Place place : places(variant)) {
      weight += place.phase == Phase.ABSENT && !place.stateHidden ? 0 : 1L << 60;
      weight += place.services ? 1L << 50 : 0;
      weight += place.kubelet ? 1L << 40 : 0;
      weight += 2L * place.rules;
    }
    return weight;
  }

  /** What the programs of one variant see. */
  List<Place> places(Variant variant) {
    return places.stream().filter(place -> place.tool.variant() == variant).toList();
  }

  /**
   * What the programs to be used see.
   *
   * @throws DataplaneException when none is installed
   */
  List<Place> chosen() {
    return places(
        variant()
            .orElseThrow(
                () ->
                    new DataplaneException(
                        "iptables-save and iptables-restore are not installed: use the image that"
                            + " is published.",
                        null)));
  }
}
