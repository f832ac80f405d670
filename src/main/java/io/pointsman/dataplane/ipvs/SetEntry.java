// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import java.util.Locale;
import java.util.function.Consumer;

/**
 * An entry of an IP set.
 *
 * @param text as ipset writes it, with addresses in the form of {@link Address}
 */
record SetEntry(SetName set, IpFamily family, String text) {
  static SetEntry address(SetName set, Address address) {
    return new SetEntry(set, address.family(), address.toString());
  }

  /** Names the entries of an excluded range: a set has no range of all addresses, but halves. */
  static void forEach(AddressRange range, Consumer<SetEntry> entries) {
    range.parts().forEach(part -> entries.accept(range(part)));
  }

  private static SetEntry range(AddressRange range) {
    return new SetEntry(SetName.EXCLUDED, range.base().family(), range.toString());
  }

  /** Reads an entry of {@code ipset save}, whose addresses may have another form. */
  static SetEntry parse(SetName set, IpFamily family, String text) {
    if (set == SetName.EXCLUDED) {
      return range(AddressRange.parse(text));
    }
    if (family == IpFamily.IPV4 || text.indexOf(':') < 0) {
      return new SetEntry(set, family, text);
    }
    String[] parts = text.split(",", -1);
    for (int i = 0; i < parts.length; i += 2) {
      parts[i] = Address.parse(parts[i]).toString();
    }
    return new SetEntry(set, family, String.join(",", parts));
  }

  /**
   * Names every entry that a Service port needs; several ports may need the same.
   *
   * @param placement where the port's virtual servers are
   */
  static void forEach(ServicePort port, Placement placement, Consumer<SetEntry> entries) {
    IpFamily family = port.id().family();
    for (Frontend frontend : port.frontends()) {
      if (frontend.kind() == FrontendKind.NODE_PORT) {
        nodePort(frontend, placement, entries);
      } else {
        Address address = frontend.address();
        entries.accept(
            new SetEntry(
                set(frontend.kind()),
                family,
                place(address, frontend.protocol(), frontend.port())));
        if (placement.isVirtual(address)) {
          entries.accept(address(SetName.SERVICE_ADDRESSES, address));
        }
      }
    }
    for (int i = 0; i < port.backends().size(); i++) {
      Backend backend = port.backends().get(i);
      if (backend.local()) {
        String place = place(backend.address(), port.id().protocol(), backend.port());
        entries.accept(new SetEntry(SetName.LOOP_BACK, family, place + "," + backend.address()));
      }
    }
  }

  private static void nodePort(Frontend frontend, Placement placement, Consumer<SetEntry> entries) {
    IpFamily family = frontend.address().family();
    String port = Integer.toString(frontend.port());
    switch (frontend.protocol()) {
      case TCP -> entries.accept(new SetEntry(SetName.NODE_PORT_TCP, family, port));
      case UDP -> entries.accept(new SetEntry(SetName.NODE_PORT_UDP, family, port));
      case SCTP -> {
        for (Address address : placement.nodePortAddresses(family)) {
          String place = place(address, frontend.protocol(), frontend.port());
          entries.accept(new SetEntry(SetName.NODE_PORT_SCTP, family, place));
        }
      }
    }
  }

  static String place(Address address, Protocol protocol, int port) {
    return address + "," + protocol.name().toLowerCase(Locale.ROOT) + ":" + port;
  }

  private static SetName set(FrontendKind kind) {
    return switch (kind) {
      case CLUSTER_IP -> SetName.CLUSTER_IP;
      case EXTERNAL_IP -> SetName.EXTERNAL_IP;
      case LOAD_BALANCER -> SetName.LOAD_BALANCER;
      case NODE_PORT -> throw new IllegalArgumentException("a node port has no address");
    };
  }
}
