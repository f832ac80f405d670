// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.dataplane.KernelState.BackendAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Understands the rules of kube-proxy's chains one by one, all forms that kube-proxy writes in its
 * iptables mode, and collects the frontends among them. It knows nothing of how rules are written.
 */
final class RuleReader {
  private static final Set<String> PLACE = Set.of("-p", "-d", "--dport", "-j");
  private static final Set<String> NODE_PORT = Set.of("-p", "--dport", "-j");
  private static final Set<String> LOCAL_PLACE = Set.of("-p", "--dst-type", "--dport", "-j");
  private static final Set<String> DOOR = Set.of("-d", "! -d", "--dst-type", "-j");
  private static final Set<String> JUMP = Set.of("-j");
  private static final Set<String> SOURCE = Set.of("-s", "-j");
  private static final Set<String> OUTSIDE = Set.of("-p", "-d", "--dport", "! -s", "-j");
  private static final Set<String> CHOICE = Set.of("-j", "--mode", "--probability", "--every");
  private static final Set<String> TRANSLATION =
      Set.of("-p", "-j", "--to-destination", "--set", "--name");

  /** Where kube-proxy's ipvs mode leads to also where no Service has an address of the family. */
  private static final String IPVS_NODE_PORTS = "KUBE-NODE-PORT";

  private static final String LOOPBACK = "127.0.0.0/8";

  private final Address any;
  private final Function<String, SavedChain> chains;
  final List<Found> found = new ArrayList<>();

  private final boolean kubeProxys;

  /**
   * A frontend.
   *
   * @param target the chain that it leads to, null when it refuses
   * @param words what kube-proxy says of it, empty when that is not wanted
   * @param staged whether it stands where no packet comes yet
   */
  record Found(
      Address address,
      int port,
      Protocol protocol,
      @Nullable SavedChain target,
      String words,
      boolean staged) {}

  /**
   * Reads rules of one family.
   *
   * @param kubeProxys whether they are kube-proxy's: the words of frontends are wanted then, which
   *     take memory, and forms are known that Pointsman never writes
   */
  RuleReader(IpFamily family, boolean kubeProxys, Function<String, SavedChain> natChains) {
    this.any = family == IpFamily.IPV4 ? Address.ANY_V4 : Address.ANY_V6;
    this.kubeProxys = kubeProxys;
    this.chains = natChains;
  }

  /** Takes a rule; false when it has a form that is not known. */
  boolean read(Table table, SavedChain chain, Rule rule) {
    chain.ofIpvs |= rule.get("--match-set") != null || rule.target().equals(IPVS_NODE_PORTS);
    try {
      return switch (table) {
        case NAT -> readNat(chain, rule);
        case FILTER -> readFilter(chain, rule);
      };
    } catch (IllegalArgumentException e) {
      return false; // not an address, port or protocol that a Service can have
    }
  }

  private boolean readNat(SavedChain chain, Rule rule) {
    return switch (chain.name) {
      case ChainNames.SERVICES, ChainNames.STAGED_SERVICES -> readServices(chain, rule);
      case ChainNames.NODE_PORTS -> readNodePorts(chain, rule);
      case ChainNames.STATE -> true;
      case ChainNames.MARK_MASQ, ChainNames.POSTROUTING -> {
        chain.does(rule.target());
        yield true;
      }
      default -> readPort(chain, rule);
    };
  }

  private boolean readPort(SavedChain chain, Rule rule) {
    if (chain.name.startsWith(ChainNames.ENDPOINT_PREFIX)) {
      return readEndpoint(chain, rule);
    }
    if (chain.name.startsWith(ChainNames.EXTERNAL_PREFIX)) {
      return readExternal(chain, rule);
    }
    if (chain.name.startsWith(ChainNames.FIREWALL_PREFIX)) {
      return readFirewall(chain, rule);
    }
    return readService(chain, rule);
  }

  private boolean readServices(SavedChain chain, Rule rule) {
    if (rule.target().equals(ChainNames.NODE_PORTS)) {
      chain.addDoor(rule);
      return rule.hasOnly(DOOR);
    }
    chain.place();
    return rule.hasExactly(PLACE)
        && ChainNames.ofPort(rule.target())
        && found(chain, Address.parse(rule.text("-d")), rule, chains.apply(rule.target()));
  }

  private boolean readNodePorts(SavedChain chain, Rule rule) {
    if (rule.hasExactly(PLACE) && rule.text("-d").equals(LOOPBACK)) {
      return kubeProxys; // counts what comes by loopback; the rule behind it serves all
    }
    return rule.hasExactly(NODE_PORT)
        && ChainNames.ofPort(rule.target())
        && found(chain, any, rule, chains.apply(rule.target()));
  }

  private boolean readService(SavedChain chain, Rule rule) {
    String target = rule.target();
    if (target.equals(ChainNames.MARK_MASQ)) {
      // kube-proxy has other forms of it, for other ways to tell what is local.
      chain.masqueradeFromOutside(rule.hasExactly(OUTSIDE) ? rule.text("! -s") : "");
      return true;
    }
    if (rule.get("--rcheck") != null) {
      return kubeProxys;
    }
    if (!target.startsWith(ChainNames.ENDPOINT_PREFIX) || !rule.hasOnly(CHOICE)) {
      return false;
    }
    String mode = rule.text("--mode");
    String share = rule.text(mode.equals("nth") ? "--every" : "--probability");
    chain.choose(chains.apply(target), mode.isEmpty() ? 1 : oneIn(share), mode);
    return true;
  }

  /** One in how many; 0 for a share that equal chances never have. */
  private static long oneIn(String share) {
    try {
      return Long.parseLong(share);
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  private boolean readExternal(SavedChain chain, Rule rule) {
    if (rule.get("-s") != null || rule.get("--src-type") != null || rule.get("-i") != null) {
      if (ChainNames.ofPort(rule.target())) {
        chain.leadInside(chains.apply(rule.target()));
      }
      return kubeProxys; // what comes from pods or the node itself goes another way
    }
    if (rule.hasExactly(JUMP) && rule.target().equals(ChainNames.MARK_MASQ)) {
      chain.masquerade();
      return true;
    }
    return rule.hasExactly(JUMP) && lead(chain, rule.target());
  }

  private boolean readFirewall(SavedChain chain, Rule rule) {
    String target = rule.target();
    if (target.isEmpty()) {
      return true;
    }
    return rule.hasOnly(SOURCE) && (chain.leadsTo(target) || lead(chain, target));
  }

  private boolean lead(SavedChain chain, String target) {
    boolean leads = ChainNames.ofPort(target);
    if (leads) {
      chain.lead(chains.apply(target));
    }
    return leads;
  }

  private boolean readEndpoint(SavedChain chain, Rule rule) {
    if (rule.target().equals(ChainNames.MARK_MASQ) && rule.hasExactly(SOURCE)) {
      chain.masquerade(rule.text("-s"));
      return true;
    }
    return rule.target().equals("DNAT")
        && rule.hasOnly(TRANSLATION)
        && chain.translate(socket(rule.text("--to-destination")));
  }

  private boolean readFilter(SavedChain chain, Rule rule) {
    return switch (chain.name) {
      case ChainNames.SERVICES, ChainNames.EXTERNAL_SERVICES -> readRejection(chain, rule);
      case ChainNames.NODE_PORTS -> rule.target().equals("ACCEPT") && rule.hasOnly(NODE_PORT);
      case ChainNames.PROXY_FIREWALL -> rule.target().equals("DROP") && rule.hasOnly(PLACE);
      default -> true;
    };
  }

  private boolean readRejection(SavedChain chain, Rule rule) {
    boolean nodePort = rule.hasExactly(LOCAL_PLACE);
    if (!nodePort && !rule.hasExactly(PLACE)) {
      return false;
    }
    // What is dropped has endpoints, but none that its traffic policy allows.
    boolean dropped = kubeProxys && rule.target().equals("DROP");
    return (dropped || rule.target().equals("REJECT"))
        && found(chain, nodePort ? any : Address.parse(rule.text("-d")), rule, null);
  }

  private boolean found(SavedChain chain, Address address, Rule rule, @Nullable SavedChain target) {
    Protocol protocol = Protocol.valueOf(rule.text("-p").toUpperCase(Locale.ROOT));
    int port = Integer.parseInt(rule.text("--dport"));
    String words = kubeProxys ? rule.comment() : "";
    boolean staged = chain.name.equals(ChainNames.STAGED_SERVICES);
    found.add(new Found(address, port, protocol, target, words, staged));
    return true;
  }

  /** Reads {@code address:port} or {@code [address]:port}. */
  private static BackendAddress socket(String text) {
    int colon = text.lastIndexOf(':');
    if (colon < 0) {
      throw new IllegalArgumentException("no port: " + text);
    }
    boolean brackets = text.startsWith("[") && text.charAt(colon - 1) == ']';
    String address = brackets ? text.substring(1, colon - 1) : text.substring(0, colon);
    return new BackendAddress(Address.parse(address), Integer.parseInt(text.substring(colon + 1)));
  }
}
