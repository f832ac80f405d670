// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.kernel.Clock;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.ConntrackTimeouts;
import io.pointsman.kernel.FlowTuple;
import io.pointsman.kernel.IpvsConnections;
import io.pointsman.kernel.KernelException;
import io.pointsman.kernel.RtNetlink;
import io.pointsman.kernel.Sysctl;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tells the programs which flows the stack has (ADR 7): those that rules or ip_vs began before this
 * dataplane served, or that were handed over to conntrack.
 *
 * <p>A UDP flow gets an entry that leaves its packets to the stack for as long as conntrack knows
 * it, or ip_vs where it does not tell conntrack; TCP needs none, as only a SYN begins a flow.
 * Answers to masqueraded flows, of TCP too, get one so that no flow of the programs' is given the
 * same port.
 */
final class FlowImport {
  private static final long SECOND = 1_000_000_000L;

  /** The programs note packets a second late, and must not send one to a flow that is gone. */
  private static final int MARGIN_SECONDS = 2;

  /**
   * Whether conntrack knows what ip_vs has. It forgets a silent flow earlier, and only what it
   * knows lives on when the virtual servers go.
   */
  private static final Sysctl IPVS_TRACKS = new Sysctl("net.ipv4.vs.conntrack");

  private static final Address OF_POD = new Address(0, 0);
  private static final Address OF_HOST = new Address(0, 1);

  private final Pins pins;
  private final long now = Clock.bootNanos();
  private final ConntrackTimeouts timeouts = ConntrackTimeouts.read();
  private final Map<FlowKey, FlowEntry> wanted = new HashMap<>();
  private final Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
  private final Set<Address> own = new HashSet<>();

  FlowImport(Pins pins) {
    this.pins = pins;
  }

  /**
   * Writes an entry for every flow of the stack through a frontend that the programs have none for,
   * and brings those up to date that are the stack's.
   *
   * @param serving whether the programs serve, so that the stack gets no new flows: then what is
   *     left to it without need is taken back
   * @return the families that the stack has flows of
   */
  Set<IpFamily> run(boolean serving) {
    try (RtNetlink netlink = new RtNetlink()) {
      netlink.addresses().forEach(address -> own.add(Address.of(address.address())));
    }
    try (Frontends frontends = new Frontends(pins)) {
      if (!readConntrack(frontends) || !"1".equals(IPVS_TRACKS.value())) {
        IpvsConnections.read().forEach(connection -> want(connection, frontends));
      }
    }
    try (FlowMap flows = new FlowMap(pins.map(Layout.CT))) {
      wanted.forEach((key, entry) -> write(flows, key, entry));
      if (serving) {
        takeBack(flows);
      }
    }
    return families;
  }

  /** Whether conntrack could be asked. */
  private boolean readConntrack(Frontends frontends) {
    try (Conntrack conntrack = new Conntrack()) {
      conntrack.read(FlowImport::translated).forEach(flow -> want(flow, frontends));
      return true;
    } catch (KernelException e) {
      if (!Conntrack.isMissing(e)) {
        throw e;
      }
      return false;
    }
  }

  /** Also by ip_vs, which changes only where answers are expected from. */
  private static boolean translated(Conntrack.Flow flow) {
    FlowTuple original = flow.original();
    FlowTuple reply = flow.reply();
    return !flow.closing()
        && (flow.protocol() == Protocol.TCP.number() || flow.protocol() == Protocol.UDP.number())
        && (original.destinationPort() != reply.sourcePort()
            || !original.destination().equals(reply.source()));
  }

  private void want(Conntrack.Flow flow, Frontends frontends) {
    FlowKey key = FlowKey.of(Layout.CT_INGRESS, flow.original());
    if (!frontends.serve(key.destination(), key.destinationPort(), key.protocol())) {
      return;
    }
    families.add(key.source().family());
    FlowKey answer = FlowKey.of(Layout.CT_INGRESS, flow.reply());
    if (key.protocol() == Protocol.UDP.number()) {
      int seconds = flow.assured() ? timeouts.udpStream() : timeouts.udp();
      want(key, answer.source(), answer.sourcePort(), seconds, flow.secondsLeft());
    }
    if (!answer.destination().equals(key.source())
        || answer.destinationPort() != key.sourcePort()) {
      int flags = Layout.CT_STACK | Layout.CT_SEEN_REPLY;
      wanted.putIfAbsent(answer, new FlowEntry(OF_POD, 0, flags, timeouts.udpStream(), now));
    }
  }

  private void want(IpvsConnections.Connection connection, Frontends frontends) {
    FlowKey key = FlowKey.of(Layout.CT_INGRESS, connection.tuple());
    if (key.protocol() == Protocol.UDP.number()
        && frontends.serve(key.destination(), key.destinationPort(), key.protocol())) {
      families.add(key.source().family());
      Address backend = Address.of(connection.server());
      int left = connection.secondsLeft();
      want(key, backend, connection.serverPort(), Math.max(left, timeouts.udpStream()), left);
    }
  }

  /** A flow's entry for packets, and the one for the socket that may be its sender. */
  private void want(FlowKey key, Address backend, int port, int seconds, int left) {
    long silent = Math.max(0, seconds - left);
    FlowEntry entry =
        new FlowEntry(
            backend,
            port,
            Layout.CT_FORWARD | Layout.CT_STACK,
            Math.max(0, seconds - MARGIN_SECONDS),
            Math.max(1, now - silent * SECOND));
    wanted.putIfAbsent(key, entry);
    Address sender = own.contains(key.source()) ? OF_HOST : OF_POD;
    wanted.putIfAbsent(
        new FlowKey(
            Layout.CT_SOCKET,
            sender,
            key.sourcePort(),
            key.destination(),
            key.destinationPort(),
            key.protocol()),
        entry);
  }

  private static void write(FlowMap flows, FlowKey key, FlowEntry entry) {
    if (!flows.add(key, entry)
        && entry.has(Layout.CT_FORWARD)
        && flows.find(key).filter(found -> found.has(Layout.CT_STACK)).isPresent()) {
      flows.replace(key, entry);
    }
  }

  private void takeBack(FlowMap flows) {
    List<FlowKey> over = new ArrayList<>();
    flows.forEach(
        (key, entry) -> {
          boolean noted = entry.has(Layout.CT_STACK) && entry.has(Layout.CT_FORWARD);
          if (entry.isHeldAnswers() || noted && !wanted.containsKey(key)) {
            over.add(key);
          }
        });
    over.forEach(flows::delete);
  }
}
