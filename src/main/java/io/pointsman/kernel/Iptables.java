// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The rules of one family in one of the kernel's two places for them, read by iptables-save and
 * changed by iptables-restore. Works on the network namespace of the thread that calls it.
 */
public final class Iptables {
  /**
   * How long to wait, in seconds, for another process that changes the same rules: kube-proxy may
   * take that long.
   */
  private static final String LOCK_SECONDS = "30";

  /** What is said of a chain that is not there, and by cat before ip_tables is loaded. */
  private static final Pattern ABSENT =
      Pattern.compile("No such file or directory|No chain/target/match by that name");

  /** What is said of a match or target that the kernel lacks; it fails only once it is written. */
  private static final Pattern UNSUPPORTED = Pattern.compile("Extension (\\S+) revision \\d+ not");

  private static final Path IPV6 = Path.of("/proc/sys/net/ipv6/conf");

  private final CommandRunner commands;
  private final Family family;
  private final Variant variant;
  private final View view;
  private final String program;

  /** How somebody who works on the rules sees their lines. */
  public interface View {
    /** All of them, as they are. */
    View PLAIN =
        new View() {
          @Override
          public String read(String line) {
            return line;
          }

          @Override
          public String write(String line) {
            return line;
          }
        };

    /** A line of iptables-save as it is seen; null when it is not seen at all. */
    @Nullable String read(String line);

    /** What iptables-restore is given for a line. */
    String write(String line);
  }

  /** The IP families, each with tables of its own. */
  public enum Family {
    IPV4("iptables", "ip", "/proc/net/ip_tables_names"),
    IPV6("ip6tables", "ip6", "/proc/net/ip6_tables_names");

    private final String program;
    private final String nft;
    private final String legacyTables;

    Family(String program, String nft, String legacyTables) {
      this.program = program;
      this.nft = nft;
      this.legacyTables = legacyTables;
    }

    /** As nft names it. */
    public String nft() {
      return nft;
    }
  }

  /** Where iptables keeps its rules: in nf_tables, or in ip_tables as it was before. */
  public enum Variant {
    NFT("nft"),
    LEGACY("legacy");

    private final String suffix;

    Variant(String suffix) {
      this.suffix = suffix;
    }

    /** As people call it: iptables-nft or iptables-legacy. */
    public String text() {
      return Family.IPV4.program + "-" + suffix;
    }
  }

  /** Talks to one family in one place. */
  public Iptables(CommandRunner commands, Family family, Variant variant) {
    this(commands, family, variant, View.PLAIN);
  }

  /** The same for one who sees the lines in a way of its own. */
  public Iptables(CommandRunner commands, Family family, Variant variant, View view) {
    this.commands = commands;
    this.family = family;
    this.variant = variant;
    this.view = view;
    this.program = family.program + "-" + variant.suffix;
  }

  /** The family. */
  public Family family() {
    return family;
  }

  /** Where the rules are kept. */
  public Variant variant() {
    return variant;
  }

  /** The programs' common name, such as ip6tables-nft. */
  public String name() {
    return program;
  }

  /** Whether the programs are installed, and the kernel has the family. */
  public boolean usable() {
    return commands.has(program + "-save")
        && commands.has(program + "-restore")
        && (family == Family.IPV4 || Files.exists(IPV6));
  }

  /**
   * Whether the kernel takes rules here: where none are, it may lack the family and iptables-save
   * is content all the same. Changes nothing.
   */
  public boolean supported() {
    if (variant == Variant.LEGACY || !commands.has("nft")) {
      return true;
    }
    try {
      commands.lines("nft", "--check", "add", "table", family.nft(), "pointsman-probe");
      return true;
    } catch (CommandRunner.CommandException e) {
      return false;
    }
  }

  /**
   * Hands on what iptables-save writes of all tables, line by line.
   *
   * @throws CommandRunner.CommandException when it fails
   */
  public void save(Consumer<String> lines) {
    commands.run(List.of(program + "-save"), "", seen(lines));
  }

  /** The same with packet and byte counters before each rule. */
  public void saveCounted(Consumer<String> lines) {
    commands.run(List.of(program + "-save", "-c"), "", seen(lines));
  }

  /** What iptables-save writes of one table; it is made when it is not there. */
  public void save(String table, Consumer<String> lines) {
    commands.run(List.of(program + "-save", "-t", table), "", seen(lines));
  }

  /**
   * Whether a table has a chain, also one that iptables-save leaves out; as quick as ever however
   * many rules there are. One that cannot be asked for counts as being there. Changes nothing.
   */
  public boolean has(String table, String chain) {
    try {
      return !list(table, chain).isEmpty();
    } catch (CommandRunner.CommandException e) {
      return true;
    }
  }

  /**
   * Whether what this node forwards is dropped unless a rule accepts it. Changes nothing.
   *
   * @throws CommandRunner.CommandException when it cannot be asked
   */
  public boolean dropsForwarded() {
    String said =
        switch (variant) {
          case NFT -> "policy drop;";
          case LEGACY -> "-P FORWARD DROP";
        };
    return list("filter", "FORWARD").stream().anyMatch(line -> line.contains(said));
  }

  /** A chain as the variant's tool lists it, empty when it is not there. */
  private List<String> list(String table, String chain) {
    String name = view.write(chain);
    try {
      return switch (variant) {
        case NFT -> commands.lines("nft", "list", "chain", family.nft(), table, name);
        case LEGACY ->
            legacyTables().contains(table) // to ask for a table makes it
                ? commands.lines(program, "-t", table, "-S", name)
                : List.of();
      };
    } catch (CommandRunner.CommandException e) {
      if (ABSENT.matcher(e.said()).find()) {
        return List.of();
      }
      throw e;
    }
  }

  /**
   * The matches and targets that the kernel lacks of those in rules, which iptables asks it for as
   * it reads them. It may load modules for that; no rule and no table is made.
   *
   * @param rules what stands behind {@code -A CHAIN}; those behind one that cannot be read are not
   *     asked for
   */
  public Set<String> unsupported(List<String> rules) {
    Optional<String> table = tableThatIsThere();
    if (table.isEmpty()) {
      return Set.of();
    }
    StringBuilder script = new StringBuilder("*" + table.get() + "\n:POINTSMAN-PROBE - [0:0]\n");
    rules.forEach(rule -> script.append("-A POINTSMAN-PROBE ").append(rule).append('\n'));
    List<String> reading =
        List.of(program + "-restore", "--test", "--noflush", "--wait", LOCK_SECONDS);
    return UNSUPPORTED
        .matcher(commands.said(reading, script + "COMMIT\n"))
        .results()
        .map(named -> named.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /** A table that nothing is made by reading rules for; empty when there is none. */
  private Optional<String> tableThatIsThere() {
    return switch (variant) {
      case NFT -> Optional.of("filter");
      case LEGACY -> legacyTables().stream().findFirst();
    };
  }

  private List<String> legacyTables() {
    try {
      return commands.lines("cat", family.legacyTables);
    } catch (CommandRunner.CommandException e) {
      if (ABSENT.matcher(e.said()).find()) {
        return List.of();
      }
      throw e;
    }
  }

  private Consumer<String> seen(Consumer<String> lines) {
    return line -> {
      String seen = view.read(line);
      if (seen != null) {
        lines.accept(seen);
      }
    };
  }

  /**
   * Changes rules and leaves alone what the script does not name. Each table changes at its COMMIT
   * as a whole or not at all; tables that were committed before a failure stay changed.
   *
   * @param wanted writes the same lines each time it is asked
   * @throws RestoreException when it is refused
   * @throws CommandRunner.CommandException when it cannot be run
   */
  public void restore(CommandRunner.Input wanted) {
    CommandRunner.Input script = view == View.PLAIN ? wanted : ScriptLines.seen(wanted, view);
    List<String> command =
        List.of(program + "-restore", "--noflush", "--counters", "--wait", LOCK_SECONDS);
    try {
      commands.run(command, script, line -> {});
    } catch (CommandRunner.CommandException e) {
      if (e.said().isEmpty()) {
        throw e;
      }
      throw RestoreException.of(program, script, e);
    }
  }
}
