// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.Address;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One way to serve the cluster's Services in the kernel of this node. Every method may be called
 * again after a crash at any point and finishes what was begun. Failures are {@link
 * DataplaneException}; they carry the operation, the object and what the kernel said.
 */
public interface Dataplane extends AutoCloseable {
  /** What this kernel and node allow; changes nothing. */
  Preflight preflight();

  /**
   * What {@link #prepare} and {@link #activate} together would write; changes nothing, whatever
   * phase the dataplane is in.
   */
  PlannedWrites plan(DesiredState desired);

  /** What is in the kernel of this dataplane, and goes with {@link #remove}; changes nothing. */
  Holdings holdings();

  /**
   * Programs everything in full without taking traffic. What an earlier agent left is adopted: only
   * differences are written, and a dataplane that is active stays so.
   */
  SyncResult prepare(DesiredState desired);

  /** Takes new flows; flows that are established elsewhere stay where they are. */
  void activate();

  /**
   * Applies a change so that no lookup fails or reaches a wrong Service half-way. When it throws,
   * the kernel may hold a part of the change: {@link #repair} with the whole desired state is next.
   * A Service port that is refused keeps what it had.
   */
  SyncResult apply(DesiredState.Delta delta);

  /** Follows a change of the addresses that answer on node ports. */
  void applyNodePortAddresses(Set<Address> addresses);

  /** Reads the kernel back. */
  KernelState read();

  /**
   * Writes what differs between the kernel and the desired state, and re-attaches what is loose.
   */
  SyncResult repair(DesiredState desired);

  /**
   * Does what is due from time to time, such as taking away what waited for its last connection;
   * called after every proof. What it does never changes what is served.
   */
  default SyncResult maintain() {
    return SyncResult.NONE;
  }

  /**
   * Hands the flows that end with this dataplane's state over to conntrack, and goes on as it is;
   * another dataplane takes new flows meanwhile.
   */
  default void handOverFlows() {}

  /**
   * Leaves new flows to others and keeps only those in flight; call again to see how many are left.
   */
  DrainState drain();

  /**
   * Drains once another dataplane has taken new flows: where both could take a packet for theirs,
   * that lasts as short as it can, because what takes time is done before.
   *
   * @param takeOver makes the other take new flows; called once, and not if anything fails before
   */
  default DrainState drainAfter(Runnable takeOver) {
    takeOver.run();
    return drain();
  }

  /** Takes everything of this dataplane out of the kernel. */
  void remove();

  /**
   * What the kernel has that can only be this dataplane's, each by its name, whatever the phase is;
   * read after {@link #remove}, and empty then. Changes nothing.
   */
  List<String> leftovers();

  /** Which of its states the dataplane is in, read from the kernel. */
  Phase phase();

  /** What the kernel has counted since the dataplane came in, by stable names in lower case. */
  default Map<String, Long> events() {
    return Map.of();
  }

  /** Lets go of file descriptors and memory; what is in the kernel stays and serves. */
  @Override
  void close();

  /** The states of a dataplane on a node. */
  enum Phase {
    ABSENT,
    PREPARED,
    ACTIVE,
    DRAINING
  }
}
