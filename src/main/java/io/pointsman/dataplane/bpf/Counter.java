// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

/**
 * What the BPF programs count, in the order of {@code enum counter} of bpf/layout.h; the ordinal is
 * the index in the map.
 */
public enum Counter {
  /** Sockets connected to a Service. */
  SOCKET_CONNECT,
  /** Unconnected UDP sockets given a backend. */
  SOCKET_SENDMSG,
  /** Connects and sends refused because the Service has no backends. */
  SOCKET_REJECTED,
  /** Flows begun by packets. */
  FLOW_NEW,
  /** Flows whose source was changed to the node's. */
  FLOW_MASQUERADED,
  /** Packets answered because the Service has no backends. */
  REJECTED,
  /** Packets dropped because no port was free for the masquerade. */
  DROP_NO_MASQUERADE_PORT,
  /** Packets dropped because the flow table took no entry. */
  DROP_CT_FULL,
  /** Packets dropped because they are not what they say. */
  DROP_MALFORMED,
  /** Lookups that met a change of their Service and were begun again. */
  LOOKUP_RACED,
  /** Later fragments left to the stack. */
  PASS_FRAGMENT,
  /** TCP packets of unknown flows left to the stack. */
  PASS_UNKNOWN_FLOW,
  /** Packets left to the stack because of their headers. */
  PASS_HEADERS,
  /** ICMP errors translated. */
  ICMP_TRANSLATED,
  /** Packets dropped because another flow has the same tuple. */
  DROP_TUPLE_TAKEN
}
