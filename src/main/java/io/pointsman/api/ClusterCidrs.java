// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

/** What both resources say of their field clusterCIDRs. */
final class ClusterCidrs {
  static final String DESCRIPTION =
      "Where the cluster's pods have their addresses: at most one CIDR of each IP family, as kube-proxy's --cluster-cidr has it. Iptables and IPVS masquerade what comes from elsewhere on its way to a cluster IP. Empty means that they masquerade only what a Service or its kind of address demands; BPF needs none.";

  /** The message, in CEL, of an item that is none. */
  static final String NO_CIDR =
      "'clusterCIDRs: ' + "
          + Validations.FIRST_NO_CIDR
          + " + ' is no CIDR; write it like 10.244.0.0/16 or fd00:10:244::/48'";

  /** Whether a list of at most two CIDRs has no two of one IP family. */
  static final String ONE_OF_A_FAMILY =
      "self.size() < 2 || !self.all(item, isCIDR(item))"
          + " || cidr(self[0]).ip().family() != cidr(self[1]).ip().family()";

  static final String SAME_FAMILY =
      "clusterCIDRs: two CIDRs are of the same IP family; give at most one of each";

  private ClusterCidrs() {}
}
