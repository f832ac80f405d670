// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.NodeDataplane;

/** Names that stand in the cluster; docs/adr/0002 fixes those that others rely on. */
public final class Names {
  /** Who the operator is in managedFields, and the controller in its Events. */
  public static final String FIELD_MANAGER = "pointsman-operator";

  /** Holds a ProxyDataplane until its nodes are back on kube-proxy. */
  public static final String FINALIZER = "pointsman.io/walk-back";

  /** Node label that kube-proxy's DaemonSet selects while Pointsman rules the cluster. */
  public static final String KUBE_PROXY_LABEL = "pointsman.io/kube-proxy";

  /** The label's value on nodes that kube-proxy shall run on. */
  public static final String KUBE_PROXY_ON = "on";

  /**
   * On kube-proxy's DaemonSet: its generation at which the operator told it to replace no pod, by
   * the updateStrategy OnDelete in place of its RollingUpdate.
   */
  public static final String PODS_KEPT_AT = "pointsman.io/pods-kept-at-generation";

  /** On a NodeDataplane: the ProxyDataplane's generation whose switch failed there. */
  public static final String FAILED_GENERATION = "pointsman.io/failed-generation";

  /** On a NodeDataplane: why that switch failed, reason and sentence. */
  public static final String FAILURE = "pointsman.io/failure";

  /** On a NodeDataplane: the ProxyDataplane's generation that the switch belongs to. */
  public static final String GENERATION = "pointsman.io/generation";

  /** On a NodeDataplane: when the present walk, forward or back, began. RFC 3339, UTC. */
  public static final String SWITCHING_SINCE = "pointsman.io/switching-since";

  /** On a NodeDataplane: when the operator last asked something of the agent. RFC 3339, UTC. */
  public static final String ASKED_AT = "pointsman.io/asked-at";

  /** On a NodeDataplane: the own dataplane that the walk began on, as JSON. */
  public static final String ORIGIN = NodeDataplane.ORIGIN;

  /**
   * On a NodeDataplane: what the present walk leaves and whose flows may have to end, an own
   * dataplane, or {@link #KUBE_PROXY} once the agent has waited for flows of its ip_vs.
   */
  public static final String REPLACES = "pointsman.io/replaces";

  /** Stands for kube-proxy among dataplanes. */
  static final String KUBE_PROXY = "kube-proxy";

  /** On a NodeDataplane: why the rollback to the origin failed too, reason and sentence. */
  public static final String ROLLBACK_FAILURE = "pointsman.io/rollback-failure";

  /** On a NodeDataplane: since when the node has been converged. RFC 3339, UTC. */
  public static final String CONVERGED_SINCE = "pointsman.io/converged-since";

  private Names() {}
}
