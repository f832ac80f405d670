// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;

/** One node's part: the operator writes what it shall do, the node's agent what it has done. */
@Group(ProxyDataplane.GROUP)
@Version(ProxyDataplane.VERSION)
@Kind("NodeDataplane")
@Plural("nodedataplanes")
@Singular("nodedataplane")
@ShortNames("ndp")
public class NodeDataplane extends CustomResource<NodeDataplaneSpec, NodeDataplaneStatus> {}
