// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.kernel.CommandRunner;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The IP sets in the network namespace of the calling thread, by ipset(8): many changes in one run
 * of {@code ipset restore}. Failures are {@link CommandRunner.CommandException}.
 */
final class IpSets {
  /**
   * The sets that kube-proxy creates in its ipvs mode; those for IPv6 begin with KUBE-6-, and one
   * of them is cut off, because a name has 31 letters.
   */
  static final Pattern OF_KUBE_PROXY =
      Pattern.compile(
          "KUBE-(6-)?(LOOP-BACK|CLUSTER-IP|EXTERNAL-IP(-LOCAL)?"
              + "|LOAD-BALANCER(-FW|-LOCAL|-SOURCE-IP|-SOURCE-CIDR)?"
              + "|NODE-PORT-(LOCAL-)?(TCP|UDP|SCTP-HASH|SCTP-HAS)|HEALTH-CHECK-NODE-PORT|IPVS-IPS)");

  /** These, and Pointsman's. */
  static final Pattern OURS =
      Pattern.compile(OF_KUBE_PROXY + "|POINTSMAN-(6-)?(NODE-IPS|EXCLUDED|HELD)");

  private static final Pattern EXTERNAL_LOCAL = Pattern.compile("add KUBE-(6-)?EXTERNAL-IP-LOCAL ");

  private static final Path MODULE = Path.of("/sys/module/ip_set");

  /** A kube-proxy makes its sets with this, and fails for ever on one that has another number. */
  private static final int SIZE = 65_536;

  private static final int LARGE = 1 << 24;
  private static final Pattern CREATE =
      Pattern.compile("create (\\S+) (\\S+)(?: .*maxelem (\\d+).*| .*)?");

  private final CommandRunner commands;
  private final List<IpFamily> families;

  IpSets(CommandRunner commands, List<IpFamily> families) {
    this.commands = commands;
    this.families = List.copyOf(families);
  }

  /**
   * What was read.
   *
   * @param entries of the sets of these names
   * @param limits how many entries a set may have, by name; a bitmap has no limit
   * @param unfit sets of these names that are of another type
   * @param externalLocal external addresses that kube-proxy has in a set of their own, those of
   *     Services with a Local policy, as if they were with the others
   */
  record Read(
      Set<SetEntry> entries,
      Map<String, Integer> limits,
      Set<String> unfit,
      Set<SetEntry> externalLocal) {
    /** The sets that have more room than kube-proxy's and do not need it. */
    private Set<String> roomy() {
      Set<String> roomy = new HashSet<>();
      limits.forEach(
          (name, limit) -> {
            if (limit > SIZE && limit != Integer.MAX_VALUE) {
              roomy.add(name);
            }
          });
      if (!roomy.isEmpty()) {
        Map<String, Integer> sizes = sizes(entries);
        roomy.removeIf(name -> sizes.getOrDefault(name, 0) > SIZE);
      }
      return roomy;
    }

    /** What would hinder a kube-proxy that comes back, each a sentence. */
    List<String> defects() {
      return roomy().stream()
          .map(name -> "The IP set " + name + " has room for more entries than kube-proxy's has.")
          .toList();
    }
  }

  /** Reads all sets, and leaves out those of others. */
  Read read() {
    Map<String, SetEntry> known = new HashMap<>();
    forEachSet(
        (set, family) -> known.put(set.text(family), new SetEntry(set, family, set.text(family))));
    Read read = new Read(new HashSet<>(), new HashMap<>(), new HashSet<>(), new HashSet<>());
    commands.run(
        List.of("ipset", "save"),
        "",
        line -> {
          SetEntry named = known.get(word(line, 1));
          if (named != null) {
            accept(line, named, read);
          } else if (EXTERNAL_LOCAL.matcher(line).lookingAt()) {
            IpFamily family = line.startsWith("add KUBE-6-") ? IpFamily.IPV6 : IpFamily.IPV4;
            read.externalLocal().add(SetEntry.parse(SetName.EXTERNAL_IP, family, word(line, 2)));
          }
        });
    return read;
  }

  private static void accept(String line, SetEntry named, Read read) {
    Matcher create = CREATE.matcher(line);
    if (create.matches()) {
      String limit = create.group(3);
      read.limits().put(named.text(), limit == null ? Integer.MAX_VALUE : Integer.parseInt(limit));
      if (!create.group(2).equals(named.set().type())) {
        read.unfit().add(named.text());
      }
    } else if (line.startsWith("add ") && !read.unfit().contains(named.text())) {
      read.entries().add(SetEntry.parse(named.set(), named.family(), word(line, 2)));
    }
  }

  /**
   * Creates the sets that are missing, of another type, too small for what shall be in them beside
   * what is, or larger than kube-proxy's without need; a set that is replaced keeps its name and
   * its rules.
   */
  void create(Read present, Collection<SetEntry> wanted) {
    Set<SetEntry> all = new HashSet<>(present.entries());
    all.addAll(wanted);
    Map<String, Integer> sizes = sizes(all);
    Set<String> roomy = present.roomy();
    List<String> lines = new ArrayList<>();
    forEachSet(
        (set, family) -> {
          String name = set.text(family);
          int size = sizes.getOrDefault(name, 0);
          String type = type(set, family, size);
          if (!set.needed(size)) {
            return;
          }
          if (!present.limits().containsKey(name)) {
            lines.add("create " + name + " " + type);
          } else if (present.unfit().contains(name)) {
            lines.add("destroy " + name);
            lines.add("create " + name + " " + type);
          } else if (size > present.limits().getOrDefault(name, Integer.MAX_VALUE)
              || size <= SIZE && roomy.contains(name)) {
            String other = "POINTSMAN-" + set.ordinal() + "-" + family.ordinal();
            lines.add("create " + other + " " + type);
            present.entries().stream()
                .filter(entry -> entry.set() == set && entry.family() == family)
                .forEach(entry -> lines.add("add " + other + " " + entry.text()));
            lines.add("swap " + other + " " + name);
            lines.add("destroy " + other);
          }
        });
    restore(lines);
  }

  private static Map<String, Integer> sizes(Collection<SetEntry> entries) {
    Map<String, Integer> sizes = new HashMap<>();
    entries.forEach(entry -> sizes.merge(entry.set().text(entry.family()), 1, Integer::sum));
    return sizes;
  }

  /** Creates one set in these families, with room for whatever may come. */
  void create(SetName set, Set<IpFamily> wanted) {
    restore(
        wanted.stream()
            .map(family -> "create " + set.text(family) + " " + type(set, family, LARGE))
            .toList());
  }

  private static String type(SetName set, IpFamily family, long size) {
    return set.type() + " " + set.parameters(family, size <= SIZE ? SIZE : LARGE);
  }

  void add(Collection<SetEntry> entries) {
    restore("add ", entries);
  }

  void delete(Collection<SetEntry> entries) {
    restore("del ", entries);
  }

  /** Destroys every set that is ours; rules that name one must be gone. */
  void destroy() {
    List<String> lines = new ArrayList<>();
    names().stream()
        .filter(name -> OURS.matcher(name).matches())
        .forEach(name -> lines.add("destroy " + name));
    restore(lines);
  }

  /** Destroys these sets of each family, as far as they are there. */
  void destroy(SetName... which) {
    restore(present("destroy ", which));
  }

  /** Takes all entries out of one set of each family, if it is there. */
  void empty(SetName set) {
    restore(present("flush ", set));
  }

  private List<String> present(String verb, SetName... which) {
    List<String> present = names();
    return Stream.of(which)
        .flatMap(set -> families.stream().map(set::text))
        .filter(present::contains)
        .map(name -> verb + name)
        .toList();
  }

  /** The sets that nobody else has. */
  List<String> own() {
    // Without ip_set in the kernel there are none, and ipset would only fail to say so.
    if (!commands.has("ipset") || !Files.exists(MODULE)) {
      return List.of();
    }
    return names().stream()
        .filter(name -> OURS.matcher(name).matches() && !OF_KUBE_PROXY.matcher(name).matches())
        .toList();
  }

  List<String> names() {
    return commands.lines("ipset", "list", "-n");
  }

  private void restore(String verb, Collection<SetEntry> entries) {
    if (!entries.isEmpty()) {
      commands.run(
          List.of("ipset", "restore", "-exist"),
          out -> {
            for (SetEntry entry : entries) {
              out.append(verb)
                  .append(entry.set().text(entry.family()))
                  .append(' ')
                  .append(entry.text())
                  .append('\n');
            }
          },
          line -> {});
    }
  }

  private void restore(List<String> lines) {
    if (!lines.isEmpty()) {
      commands.run(
          List.of("ipset", "restore", "-exist"),
          out -> {
            for (String line : lines) {
              out.append(line).append('\n');
            }
          },
          line -> {});
    }
  }

  /** Receives a set in a family. */
  private interface Each {
    void accept(SetName set, IpFamily family);
  }

  private void forEachSet(Each each) {
    for (IpFamily family : families) {
      for (SetName set : SetName.values()) {
        if (set.lasting()) {
          each.accept(set, family);
        }
      }
    }
  }

  private static String word(String line, int index) {
    String[] words = line.split(" ", index + 2);
    return words.length > index ? words[index] : "";
  }
}
