// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane.Phase;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one family's tables shall be.
 *
 * @param doors the last rules of KUBE-SERVICES, which lead to node ports
 * @param routeLocalnet what the kernel's setting was before, null when it was left alone
 */
record WantedTables(
    Collection<ServicePort> ports,
    ServiceRules rules,
    List<String> doors,
    Phase phase,
    @Nullable String routeLocalnet) {}
