// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Digest;
import java.util.List;

/**
 * What the kernel holds, decoded from the kernel alone, in the form that is the same for every
 * dataplane. A node port stands once, under the wildcard address of its family.
 */
public interface KernelState {
  /**
   * The digest of all frontends and backends; equal to {@link DesiredState#digest()} when proven.
   */
  Digest digest();

  /** How many frontends there are. */
  int frontendCount();

  /** How many pairs of frontend and backend there are. */
  int backendCount();

  /** Hands every frontend to the visitor, in no order. */
  void forEach(Visitor visitor);

  /**
   * What is wrong in the kernel apart from frontends and backends, each a sentence: a program that
   * is not attached, a backend set that misses an ordinal, an address missing among the node-port
   * ones.
   */
  List<String> defects();

  /** Receives the frontends of a {@link KernelState}. */
  @FunctionalInterface
  interface Visitor {
    /** One frontend with its backends; an empty list means that it rejects. */
    void frontend(Address address, int port, int protocol, List<BackendAddress> backends);
  }

  /** A backend as the kernel knows it. */
  record BackendAddress(Address address, int port) {}
}
