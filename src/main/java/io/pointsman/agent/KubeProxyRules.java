// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import java.util.HashSet;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which frontends kube-proxy's rules serve and which they reject, collected from the output of
 * iptables-save and nft as the lines come. Only what is found counts: a rule in a form that is not
 * known here makes a Service look unserved, never served.
 */
final class KubeProxyRules {
  private static final Pattern IPTABLES_RULE = Pattern.compile("-A (KUBE-[A-Z-]+) (.*)");
  private static final Pattern DESTINATION =
      Pattern.compile("\\s-d ([0-9a-f.:]+)(?:/(?:32|128))?\\s");
  private static final Pattern PROTOCOL = Pattern.compile("(?:^|\\s)-p (tcp|udp)\\s");
  private static final Pattern PORT = Pattern.compile("\\s--dport (\\d+)\\s");
  private static final Pattern TARGET = Pattern.compile("\\s-[jg] (\\S+)");
  private static final Pattern NFT_MAP = Pattern.compile("\\s*map (\\S+) \\{.*");
  private static final Pattern NFT_SERVICE =
      Pattern.compile(
          "([0-9a-f.:]+) \\. (tcp|udp) \\. (\\d+)(?: comment \"[^\"]*\")? : (\\S+) (\\S+?)[,\\s}]");
  private static final Pattern NFT_NODE_PORT =
      Pattern.compile(
          "(?:^|[\\s{,])(tcp|udp) \\. (\\d+)(?: comment \"[^\"]*\")? : (\\S+) (\\S+?)[,\\s}]");

  private final Set<Place> served = new HashSet<>();
  private final Set<Place> rejected = new HashSet<>();
  private final Set<IpFamily> entered = new HashSet<>();
  private String table = "";
  private String map = "";

  private record Place(Address address, int port, Protocol protocol) {}

  /** Takes a line of iptables-save or ip6tables-save. */
  void acceptIptables(IpFamily family, String line) {
    if (line.startsWith("*")) {
      table = line.substring(1);
      return;
    }
    if (table.equals("nat")
        && line.startsWith("-A PREROUTING ")
        && line.endsWith("KUBE-SERVICES")) {
      entered.add(family);
    }
    Matcher rule = IPTABLES_RULE.matcher(line);
    if (rule.matches()) {
      acceptRule(family, rule.group(1), " " + rule.group(2) + " ");
    }
  }

  private void acceptRule(IpFamily family, String chain, String arguments) {
    Matcher port = PORT.matcher(arguments);
    Matcher protocol = PROTOCOL.matcher(arguments);
    Matcher target = TARGET.matcher(arguments);
    if (!port.find() || !protocol.find() || !target.find()) {
      return;
    }
    Matcher destination = DESTINATION.matcher(arguments);
    boolean nodePort = chain.equals("KUBE-NODEPORTS") || chain.equals("KUBE-EXTERNAL-SERVICES");
    Address address;
    if (destination.find()) {
      address = Address.parse(destination.group(1));
    } else if (nodePort) {
      address = any(family);
    } else {
      return;
    }
    Place place = place(address, port.group(1), protocol.group(1));
    if (table.equals("nat") && target.group(1).startsWith("KUBE-")) {
      served.add(place);
    } else if (table.equals("filter") && target.group(1).equals("REJECT")) {
      rejected.add(place);
    }
  }

  /** Takes a line of {@code nft list table <family> kube-proxy}. */
  void acceptNft(IpFamily family, String line) {
    Matcher start = NFT_MAP.matcher(line);
    if (start.matches()) {
      map = start.group(1);
      return;
    }
    String padded = line + " ";
    if (map.equals("service-ips") || map.equals("no-endpoint-services")) {
      entered.add(family);
      Matcher entry = NFT_SERVICE.matcher(padded);
      while (entry.find()) {
        add(place(Address.parse(entry.group(1)), entry.group(3), entry.group(2)));
      }
    } else if (map.equals("service-nodeports") || map.equals("no-endpoint-nodeports")) {
      Matcher entry = NFT_NODE_PORT.matcher(padded);
      while (entry.find()) {
        add(place(any(family), entry.group(2), entry.group(1)));
      }
    }
  }

  private void add(Place place) {
    (map.startsWith("no-endpoint") ? rejected : served).add(place);
  }

  private static Address any(IpFamily family) {
    return family == IpFamily.IPV4 ? Address.ANY_V4 : Address.ANY_V6;
  }

  private static Place place(Address address, String port, String protocol) {
    return new Place(
        address, Integer.parseInt(port), Protocol.valueOf(protocol.toUpperCase(Locale.ROOT)));
  }

  /** Whether every frontend of the port is served, or rejected when nothing is behind it. */
  boolean serves(ServicePort port) {
    if (!entered.contains(port.id().family())) {
      return false;
    }
    for (Frontend frontend : port.frontends()) {
      Place place = new Place(frontend.address(), frontend.port(), frontend.protocol());
      boolean there =
          port.backends().isEmpty()
              // kube-proxy has nothing at all for a node port without endpoints in some releases.
              ? rejected.contains(place) || frontend.kind() == FrontendKind.NODE_PORT
              : served.contains(place);
      if (!there) {
        return false;
      }
    }
    return true;
  }
}
