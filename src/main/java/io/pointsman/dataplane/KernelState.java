// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Digest;
import java.util.List;
import org.jspecify.annotations.Nullable;

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

  /** The settings of the kernel that the dataplane needs, as they are now; in no order. */
  default List<Setting> settings() {
    return List.of();
  }

  /** Receives the frontends of a {@link KernelState}. */
  @FunctionalInterface
  interface Visitor {
    /** One frontend with its backends; an empty list means that it rejects. */
    void frontend(Address address, int port, int protocol, List<BackendAddress> backends);
  }

  /** A backend as the kernel knows it. */
  record BackendAddress(Address address, int port) {}

  /**
   * A setting of the kernel.
   *
   * @param name as sysctl(8) has it, or {@code ip_vs timeouts}, which are TCP, TCP after a FIN and
   *     UDP in seconds
   * @param before what the dataplane puts back when it leaves; null when it found it as it is
   */
  record Setting(String name, String value, @Nullable String before) {}
}
