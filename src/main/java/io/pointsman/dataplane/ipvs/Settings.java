// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.KernelState.Setting;
import io.pointsman.dataplane.NodeFacts;
import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.kernel.IpvsNetlink;
import io.pointsman.kernel.IpvsTimeouts;
import io.pointsman.kernel.Sysctl;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The kernel's settings that virtual servers of Services need, the same as kube-proxy's: sysctls of
 * the network namespace (ipvs-sysctl.rst, ip-sysctl.rst) and the timeouts of ip_vs.
 */
final class Settings {
  private static final String TIMEOUTS = "timeouts";

  /** Never put back: a CNI may have come to need it, and kube-proxy leaves it, too. */
  private static final String FORWARDING = "ip_forward";

  private static final IpvsTimeouts KEPT = new IpvsTimeouts(0, 0, 0);

  private final Map<String, String> wanted = new LinkedHashMap<>();
  private final IpvsTimeouts timeouts;

  Settings(IpvsOptions options) {
    this.timeouts = options.timeouts();
    wanted.put("vs.conntrack", "1");
    wanted.put("vs.expire_nodest_conn", "1");
    wanted.put("vs.expire_quiescent_template", "1");
    wanted.put(FORWARDING, "1");
    if (options.strictArp()) {
      wanted.put("conf.all.arp_ignore", "1");
      wanted.put("conf.all.arp_announce", "2");
    }
  }

  /**
   * Values that are going to be changed, so that they can be put back.
   *
   * @param before what is known already, which is kept
   */
  Map<String, String> remember(IpvsNetlink ipvs, Map<String, String> before) {
    Map<String, String> known = new TreeMap<>(before);
    wanted.forEach(
        (name, value) -> {
          String now = read(name);
          if (now != null && !value.equals(now)) {
            known.putIfAbsent(name, now);
          }
        });
    // Also an earlier release's.
    known.remove(FORWARDING);
    note(known, times(known).or(timeouts.changing(ipvs.timeouts())));
    return known;
  }

  private static IpvsTimeouts times(Map<String, String> noted) {
    String times = noted.get(TIMEOUTS);
    return times == null ? KEPT : parse(times);
  }

  /** Zeros stand for those that are left alone. */
  private static void note(Map<String, String> noted, IpvsTimeouts times) {
    if (times.equals(KEPT)) {
      noted.remove(TIMEOUTS);
    } else {
      noted.put(TIMEOUTS, text(times));
    }
  }

  /**
   * Puts back what an earlier opening changed and these options do not ask for any more.
   *
   * @return the values that are still to be remembered
   */
  Map<String, String> release(IpvsNetlink ipvs, Map<String, String> before) {
    Map<String, String> kept = new TreeMap<>(before);
    kept.keySet().removeIf(name -> !name.equals(TIMEOUTS) && !wanted.containsKey(name));
    Map<String, String> released = new TreeMap<>(before);
    released.keySet().removeAll(kept.keySet());
    restore(ipvs, released);
    IpvsTimeouts noted = times(before);
    IpvsTimeouts asked = noted.where(timeouts);
    if (!asked.equals(noted)) {
      ipvs.setTimeouts(noted.without(asked));
    }
    note(kept, asked);
    return kept;
  }

  /**
   * Sets what differs; returns how much.
   *
   * @throws DataplaneException when a value cannot be set
   */
  int apply(IpvsNetlink ipvs) {
    int written = 0;
    for (Map.Entry<String, String> setting : wanted.entrySet()) {
      if (!setting.getValue().equals(read(setting.getKey()))) {
        write(setting.getKey(), setting.getValue());
        written++;
      }
    }
    IpvsTimeouts now = ipvs.timeouts();
    if (!timeouts.or(now).equals(now)) {
      ipvs.setTimeouts(timeouts);
      written++;
    }
    return written;
  }

  /** Puts back what was changed, unless somebody has changed it since. */
  void restore(@Nullable IpvsNetlink ipvs, Map<String, String> before) {
    before.forEach(
        (name, value) -> {
          if (name.equals(TIMEOUTS)) {
            if (ipvs != null && timeouts.or(ipvs.timeouts()).equals(ipvs.timeouts())) {
              ipvs.setTimeouts(parse(value));
            }
          } else if (!name.equals(FORWARDING) && wantedOrKnown(name).equals(read(name))) {
            write(name, value);
          }
        });
  }

  /** What is not as it shall be, each a sentence. */
  List<String> defects(IpvsNetlink ipvs) {
    List<String> defects = new ArrayList<>();
    wanted.forEach(
        (name, value) -> {
          String now = read(name);
          if (!value.equals(now)) {
            defects.add(
                "The setting " + sysctl(name).text() + " is " + now + ", not " + value + ".");
          }
        });
    IpvsTimeouts now = ipvs.timeouts();
    if (!timeouts.or(now).equals(now)) {
      defects.add("The timeouts of ip_vs are " + now + ", not " + timeouts.or(now) + ".");
    }
    return defects;
  }

  /**
   * The settings as they are now.
   *
   * @param before what is put back in the end
   */
  List<Setting> report(IpvsNetlink ipvs, Map<String, String> before) {
    List<Setting> report = new ArrayList<>();
    for (String name : wanted.keySet()) {
      String now = read(name);
      if (now != null) {
        report.add(new Setting(sysctl(name).text(), now, before.get(name)));
      }
    }
    if (!timeouts.equals(KEPT)) {
      IpvsTimeouts now = ipvs.timeouts();
      IpvsTimeouts noted = times(before);
      String old = noted.equals(KEPT) ? null : text(noted.or(now));
      report.add(new Setting("ip_vs " + TIMEOUTS, text(now), old));
    }
    return report;
  }

  /** The settings that differ and cannot be set here, if there are any. */
  Optional<Finding> readOnly(NodeFacts facts) {
    List<String> found = new ArrayList<>();
    wanted.forEach(
        (name, value) -> {
          Sysctl setting = sysctl(name);
          if (!value.equals(facts.value(setting)) && !facts.writable(setting)) {
            found.add(setting.text() + "=" + value);
          }
        });
    String all = String.join(" ", found);
    return found.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Finding(
                Severity.BLOCKING,
                "SettingReadOnly",
                "The agent cannot set " + all + ".",
                "Set it on the node: sysctl -w " + all));
  }

  /** A setting that these options do not have was set by others: strict ARP, now switched off. */
  private String wantedOrKnown(String name) {
    return wanted.getOrDefault(name, name.endsWith("arp_announce") ? "2" : "1");
  }

  private static String text(IpvsTimeouts times) {
    return times.tcp() + "," + times.tcpFin() + "," + times.udp();
  }

  private static IpvsTimeouts parse(String text) {
    String[] parts = text.split(",", -1);
    return new IpvsTimeouts(
        Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
  }

  private static Sysctl sysctl(String name) {
    return new Sysctl("net.ipv4." + name);
  }

  /** The value; null when this kernel does not have it. */
  private static @Nullable String read(String name) {
    return sysctl(name).value();
  }

  private static void write(String name, String value) {
    Sysctl setting = sysctl(name);
    if (!setting.set(value)) {
      throw new DataplaneException(
          "set " + setting.text() + " to " + value + ": it cannot be written here", null);
    }
  }
}
