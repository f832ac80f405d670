// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.ServicePort;

/**
 * A Service port as it stands in the maps.
 *
 * @param set the id of its backends in nat_be
 * @param service the number that stays with it through all changes
 */
record NatEntry(ServicePort port, int set, int service) {
  /** How many rows of nat_be it has. */
  int rows() {
    return rows(port);
  }

  /** How many rows of nat_be a port has: its backends, then the endpoints that terminate. */
  static int rows(ServicePort port) {
    return port.backends().size() + port.terminating().size();
  }

  /** How many of the backends run on this node. */
  int local() {
    int local = 0;
    for (int i = 0; i < port.backends().size(); i++) {
      Backend backend = port.backends().get(i);
      local += backend.local() ? 1 : 0;
    }
    return local;
  }

  /** Whether a frontend's row says exactly what this entry says. */
  boolean matches(FrontendRows rows, int row, int kind, int scheduler) {
    return rows.set[row] == set
        && rows.count[row] == port.backends().size()
        && rows.local[row] == local()
        && rows.terminating[row] == port.terminating().size()
        && rows.service[row] == service
        && rows.affinity[row] == 0
        && rows.flags[row] == 0
        && rows.type[row] == (scheduler << 8 | kind);
  }
}
