// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.NodeFacts;
import io.pointsman.kernel.CommandRunner.CommandException;
import io.pointsman.kernel.Features;
import io.pointsman.kernel.Iptables;
import io.pointsman.kernel.Libbpf;
import io.pointsman.kernel.LockLimit;

/** What the preflight of BPF asks of the node besides. */
interface BpfFacts extends NodeFacts {
  /** This node. */
  BpfFacts HERE = new BpfFacts() {};

  /** Whether the kernel carries its own type information. */
  default boolean btf() {
    return Features.btf();
  }

  /**
   * The version of libbpf.
   *
   * @throws IllegalStateException when it cannot be loaded
   */
  default String libbpf() {
    return Libbpf.version();
  }

  /** Whether rules drop what this node forwards unless one accepts it; false if none can tell. */
  default boolean dropsForwarded(Iptables tool) {
    try {
      return tool.usable() && tool.dropsForwarded();
    } catch (CommandException e) {
      return false;
    }
  }

  /** How much memory this process may lock. */
  default LockLimit lockLimit() {
    return LockLimit.own();
  }

  /** Whether programs of a type can be loaded. */
  default boolean programType(int type) {
    return Features.programType(type);
  }

  /** Whether maps of a type can be made. */
  default boolean mapType(int type) {
    return Features.mapType(type);
  }

  /** Whether programs of a type have a helper. */
  default boolean helper(int programType, int helper) {
    return Features.helper(programType, helper);
  }
}
