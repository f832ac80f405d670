// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.catalogue.IpFamily;

/** The IP sets (ipset(8)) that the rules look into, named and typed as kube-proxy's. */
enum SetName {
  /** Backends on this node with their own address: the ways of a pod to itself. */
  LOOP_BACK("KUBE-LOOP-BACK", "hash:ip,port,ip"),
  CLUSTER_IP("KUBE-CLUSTER-IP", "hash:ip,port"),
  EXTERNAL_IP("KUBE-EXTERNAL-IP", "hash:ip,port"),
  LOAD_BALANCER("KUBE-LOAD-BALANCER", "hash:ip,port"),
  NODE_PORT_TCP("KUBE-NODE-PORT-TCP", "bitmap:port"),
  NODE_PORT_UDP("KUBE-NODE-PORT-UDP", "bitmap:port"),
  NODE_PORT_SCTP("KUBE-NODE-PORT-SCTP-HASH", "hash:ip,port"),
  /** The addresses on kube-ipvs0. */
  SERVICE_ADDRESSES("KUBE-IPVS-IPS", "hash:ip"),
  /** The addresses that answer on node ports; Pointsman's own. */
  NODE_ADDRESSES("POINTSMAN-NODE-IPS", "hash:ip"),
  /** Ranges of others, for an agent that comes when nobody names them any more; Pointsman's own. */
  EXCLUDED("POINTSMAN-EXCLUDED", "hash:net"),
  /** Flows whose packets are dropped while they are handed over; only there meanwhile. */
  HELD("POINTSMAN-HELD", "hash:ip,port,ip");

  private static final String BITMAP = "bitmap:port";

  private final String text;
  private final String type;

  SetName(String text, String type) {
    this.text = text;
    this.type = type;
  }

  /** The name in one family; each has sets of its own. */
  String text(IpFamily family) {
    return family == IpFamily.IPV4 ? text : text.replaceFirst("-", "-6-");
  }

  String type() {
    return type;
  }

  /** Whether the dataplane has it all the time. */
  boolean lasting() {
    return this != HELD;
  }

  /** Whether it is made for so many entries: not every kernel has the type that few nodes need. */
  boolean needed(int size) {
    return this != EXCLUDED || size > 0;
  }

  /** Whether its entries are address and port of a frontend. */
  boolean holdsFrontends() {
    return this == CLUSTER_IP || this == EXTERNAL_IP || this == LOAD_BALANCER;
  }

  /** What is behind name and type when the set is created. */
  String parameters(IpFamily family, int size) {
    return type.equals(BITMAP)
        ? "range 0-65535"
        : "family "
            + (family == IpFamily.IPV4 ? "inet" : "inet6")
            + " hashsize 1024 maxelem "
            + size;
  }
}
