// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Protocol;
import io.pointsman.kernel.Clock;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.ConntrackTimeouts;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.FlowTuple;
import io.pointsman.kernel.KernelException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Hands the flows that the programs translate over to conntrack, with backend, node's address and
 * port as they are (ADR 7). Only for a dataplane that takes no new flows any more.
 */
final class FlowExport implements AutoCloseable {
  private static final long SECOND = 1_000_000_000L;
  private static final int UDP_IDLE = 180;
  private static final int CLOSED_IDLE = 60;
  private static final int TCP_IDLE = 7440;

  /** How many flows wait at a time while they are handed over. */
  private static final int PORTION = 64;

  /** How often packets of a flow may come in between. */
  private static final int TRIES = 50;

  /** So many refusals in a row mean that the kernel's conntrack does not take any. */
  private static final int REFUSALS = 20;

  private final FlowMap flows;
  private final Conntrack conntrack = new Conntrack();
  private final long now = Clock.bootNanos();
  private final ConntrackTimeouts timeouts = ConntrackTimeouts.read();

  /** What conntrack has of flows as the programs showed them: from client to backend, and back. */
  private final Map<FlowTuple, FlowTuple> bypassed = new HashMap<>();

  private int refused;

  FlowExport(Pins pins) {
    this.flows = new FlowMap(pins.map(Layout.CT));
  }

  /**
   * A flow of the programs'.
   *
   * @param key of its entry for packets of the client
   * @param masquerade keys of the entries that write the node's address and undo it, if there are
   * @param original what the client sends
   * @param reply what the backend answers
   * @param inPlace whether conntrack has a flow with these answers, as it has seen this one
   */
  record Moving(
      FlowKey key,
      FlowEntry entry,
      List<FlowKey> masquerade,
      FlowTuple original,
      FlowTuple reply,
      boolean inPlace) {
    /** From client to backend, as the stack has seen the flow. */
    FlowTuple seen() {
      return new FlowTuple(
          original.source(),
          original.sourcePort(),
          reply.source(),
          reply.sourcePort(),
          original.protocol());
    }

    /** Packets of TCP that are dropped are sent again; datagrams are not. */
    boolean canWait() {
      return inPlace && original.protocol() == Protocol.TCP.number();
    }

    /** The entry that would take the answers of a flow that the stack has masqueraded, too. */
    Optional<FlowKey> answers() {
      return canWait() && entry.has(Layout.CT_MASQUERADED)
          ? Optional.of(FlowKey.of(Layout.CT_INGRESS, reply))
          : Optional.empty();
    }
  }

  /** What has become of a flow. */
  private enum Outcome {
    TAKEN,
    REFUSED,
    /** The programs have given it up meanwhile, because somebody else has one of its tuples. */
    GONE
  }

  /** Hands over what conntrack takes; the rest stays with the programs. */
  void run() {
    List<FlowKey> keys = new ArrayList<>();
    List<FlowEntry> entries = new ArrayList<>();
    List<FlowKey> left = new ArrayList<>();
    flows.forEach(
        (key, entry) -> {
          if (goesOn(key, entry)) {
            keys.add(key);
            entries.add(entry);
          } else if (entry.isHeldAnswers()) {
            left.add(key);
          }
        });
    left.forEach(flows::delete);
    findBypassed(keys, entries);
    List<Moving> portion = new ArrayList<>();
    for (int i = 0; i < keys.size() && refused < REFUSALS; i++) {
      moving(keys.get(i), entries.get(i)).ifPresent(portion::add);
      if (portion.size() == PORTION) {
        handOver(portion);
        portion.clear();
      }
    }
    handOver(portion);
  }

  @Override
  public void close() {
    conntrack.close();
    flows.close();
  }

  private boolean goesOn(FlowKey key, FlowEntry entry) {
    if (key.hook() != Layout.CT_INGRESS
        || !entry.has(Layout.CT_FORWARD)
        || entry.has(Layout.CT_STACK)
        || key.destinationPort() == 0) {
      return false;
    }
    if (key.protocol() == Protocol.UDP.number()) {
      long limit = now - UDP_IDLE * SECOND;
      // A client may only listen.
      return entry.lastSeen() > limit
          || flows
              .find(towards(key, entry).reversed())
              .filter(it -> it.lastSeen() > limit)
              .isPresent();
    }
    return now - entry.lastSeen()
        < (entry.has(Layout.CT_CLOSING) ? CLOSED_IDLE : TCP_IDLE) * SECOND;
  }

  /**
   * Asks conntrack what flows look like to their backends that the stack has masqueraded, too, as
   * some CNIs have it: they are answered without an answer at the entry that would undo ours.
   */
  private void findBypassed(List<FlowKey> keys, List<FlowEntry> entries) {
    Set<FlowTuple> seen = new HashSet<>();
    for (int i = 0; i < keys.size(); i++) {
      FlowEntry entry = entries.get(i);
      FlowKey towards = towards(keys.get(i), entry);
      if (entry.has(Layout.CT_MASQUERADED)
          && isAnswered(towards.reversed())
          && undoing(towards).filter(this::isAnswered).isEmpty()) {
        seen.add(towards.tuple());
      }
    }
    if (!seen.isEmpty()) {
      conntrack
          .read(flow -> isMasqueraded(flow) && seen.contains(flow.original()))
          .forEach(flow -> bypassed.put(flow.original(), flow.reply()));
    }
  }

  private static boolean isMasqueraded(Conntrack.Flow flow) {
    return !flow.zoned() && !flow.reply().equals(flow.original().reversed());
  }

  private boolean isAnswered(FlowKey key) {
    return flows.find(key).filter(entry -> entry.has(Layout.CT_SEEN_REPLY)).isPresent();
  }

  /** Empty when the entry of the node's address has been pushed out of the map. */
  Optional<Moving> moving(FlowKey key, FlowEntry entry) {
    FlowTuple original = key.tuple();
    FlowKey towards = towards(key, entry);
    if (!entry.has(Layout.CT_MASQUERADED)) {
      FlowTuple reply = towards.tuple().reversed();
      return Optional.of(new Moving(key, entry, List.of(), original, reply, true));
    }
    Optional<FlowKey> undoing = undoing(towards);
    List<FlowKey> masquerade = undoing.map(answer -> List.of(answer, towards)).orElseGet(List::of);
    FlowTuple past = bypassed.get(towards.tuple());
    if (past != null) {
      return Optional.of(new Moving(key, entry, masquerade, original, past, true));
    }
    return undoing.map(
        answer -> new Moving(key, entry, masquerade, original, answer.tuple(), false));
  }

  /**
   * Of the entry that gives the client's packets the node's address; reversed, of the one that
   * gives answers the frontend's.
   */
  private static FlowKey towards(FlowKey key, FlowEntry entry) {
    return new FlowKey(
        Layout.CT_EGRESS,
        key.source(),
        key.sourcePort(),
        entry.address(),
        entry.port(),
        key.protocol());
  }

  /** Of the entry that gives answers to the node's address back to the client. */
  private Optional<FlowKey> undoing(FlowKey towards) {
    return flows
        .find(towards)
        .map(
            source ->
                new FlowKey(
                    Layout.CT_INGRESS,
                    towards.destination(),
                    towards.destinationPort(),
                    source.address(),
                    source.port(),
                    towards.protocol()));
  }

  /** Hands these over, which may have gone since they were read. */
  void handOver(List<Moving> portion) {
    for (Moving flow : portion) {
      if (flow.canWait()) {
        flows.replace(flow.key(), flow.entry().with(Layout.CT_HELD));
        flow.answers().ifPresent(answers -> flows.put(answers, FlowEntry.HELD_ANSWERS));
      }
    }
    List<Moving> moved = new ArrayList<>();
    for (Moving flow : portion) {
      switch (add(flow)) {
        case TAKEN -> {
          // From here on the client's packets reach the stack as they come.
          flows.delete(flow.key());
          moved.add(flow);
          refused = 0;
        }
        case REFUSED -> {
          if (flow.canWait()) {
            flows.replace(flow.key(), flow.entry());
          }
          refused++;
        }
        case GONE -> {}
      }
      flow.answers().ifPresent(flows::delete);
    }
    moved.forEach(this::forget);
  }

  /** Makes the entry of conntrack, in place of what still has one of its tuples. */
  private Outcome add(Moving flow) {
    boolean closing = flow.entry().has(Layout.CT_CLOSING);
    int seconds = timeouts.of(flow.original().protocol(), closing);
    boolean inPlace = flow.inPlace();
    for (int i = 0; i < TRIES; i++) {
      if (flows.find(flow.key()).isEmpty()) {
        return Outcome.GONE;
      }
      if (inPlace) {
        conntrack.delete(flow.original());
        conntrack.delete(flow.reply());
      }
      conntrack.addTranslated(flow.original(), flow.reply(), closing, seconds);
      try {
        conntrack.flush();
        return Outcome.TAKEN;
      } catch (KernelException e) {
        if (e.errno() != Errno.EEXIST) {
          return Outcome.REFUSED;
        }
      }
      // A new flow of the stack's that has a tuple of it has made the programs give it up.
      inPlace = true;
    }
    return Outcome.REFUSED;
  }

  /**
   * Answers of a masqueraded flow go to the stack, too, which needs the flow as the programs showed
   * it no more. What turns the backend's address into the frontend's stays for packets on the way.
   */
  private void forget(Moving flow) {
    flow.masquerade().forEach(flows::delete);
    if (!flow.inPlace()) {
      conntrack.delete(flow.seen());
      conntrack.flush();
    }
  }
}
