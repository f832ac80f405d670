// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.crd.generator.annotation.AdditionalSelectableField;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
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
@Categories("pointsman")
@AdditionalPrinterColumn(name = "Dataplane", jsonPath = ".spec.linuxDataplane", type = Type.STRING)
@AdditionalPrinterColumn(name = "Step", jsonPath = ".status.step", type = Type.STRING)
@AdditionalPrinterColumn(name = "Result", jsonPath = ".status.result", type = Type.STRING)
@AdditionalPrinterColumn(name = "Proven", jsonPath = ".status.proven", type = Type.BOOLEAN)
@AdditionalPrinterColumn(name = "Flows", jsonPath = ".status.drainingFlows", type = Type.INTEGER)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
@AdditionalPrinterColumn(
    name = "KubeProxy",
    jsonPath = ".spec.kubeProxy",
    type = Type.STRING,
    priority = 1)
@AdditionalPrinterColumn(
    name = "Message",
    jsonPath = ".status.message",
    type = Type.STRING,
    priority = 1)
@AdditionalSelectableField(jsonPath = ".spec.proxyDataplane")
@AdditionalSelectableField(jsonPath = ".spec.linuxDataplane")
public class NodeDataplane extends CustomResource<NodeDataplaneSpec, NodeDataplaneStatus> {
  /**
   * The annotation with the spec of Pointsman's own dataplane on which the walk began, as JSON: the
   * operator writes it, and the agent keeps to it what still serves (ADR 5).
   */
  public static final String ORIGIN = "pointsman.io/origin";
}
