// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.dataplane.NodeFacts;
import io.pointsman.kernel.IpvsNetlink;
import java.util.Optional;

/** What the preflight of IPVS asks of the node besides. */
interface IpvsFacts extends NodeFacts {
  /** This node. */
  IpvsFacts HERE = new IpvsFacts() {};

  /** The kernel's modules. */
  default Modules modules() {
    return new Modules();
  }

  /** The kernel's ip_vs, which is loaded for this where it can be; empty when there is none. */
  default Optional<IpvsNetlink> ipvs() {
    return IpvsNetlink.open();
  }
}
