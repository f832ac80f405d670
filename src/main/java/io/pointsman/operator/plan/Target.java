// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.ProxyDataplaneSpec;
import io.pointsman.api.ServiceReference;
import io.pointsman.api.Toggle;

/** What a ProxyDataplane wants of each of its nodes, apart from how far the node has got. */
final class Target {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Target() {}

  /** Writes what the resource wants into a node's spec. */
  static void write(NodeDataplaneSpec spec, ProxyDataplane dataplane, ServiceReference probe) {
    ProxyDataplaneSpec wanted = dataplane.getSpec();
    spec.proxyDataplane = dataplane.getMetadata().getName();
    spec.linuxDataplane = wanted.linuxDataplane;
    spec.scheduler = wanted.scheduler;
    spec.drainSeconds = wanted.rollout.drainSeconds;
    spec.verification = wanted.verification;
    spec.nodePort = wanted.nodePort;
    spec.clusterCIDRs = wanted.clusterCIDRs;
    spec.ipvs = wanted.ipvs;
    spec.probe = wanted.verification.probe == Toggle.ENABLED ? probe : null;
  }

  /** Whether the spec already says what the resource wants. */
  static boolean matches(NodeDataplaneSpec spec, ProxyDataplane dataplane, ServiceReference probe) {
    NodeDataplaneSpec wanted = copy(spec);
    write(wanted, dataplane, probe);
    return same(spec, wanted);
  }

  static boolean same(NodeDataplaneSpec one, NodeDataplaneSpec other) {
    return MAPPER.valueToTree(one).equals(MAPPER.valueToTree(other));
  }

  static NodeDataplaneSpec copy(NodeDataplaneSpec spec) {
    JsonNode tree = MAPPER.valueToTree(spec);
    return MAPPER.convertValue(tree, NodeDataplaneSpec.class);
  }
}
