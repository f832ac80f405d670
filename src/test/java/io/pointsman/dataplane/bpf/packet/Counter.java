// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

/** enum counter of bpf/layout.h, in its order. */
enum Counter {
  SOCKET_CONNECT,
  SOCKET_SENDMSG,
  SOCKET_REJECTED,
  FLOW_NEW,
  FLOW_MASQUERADED,
  REJECTED,
  DROP_NO_MASQUERADE_PORT,
  DROP_CT_FULL,
  DROP_MALFORMED,
  LOOKUP_RACED,
  PASS_FRAGMENT,
  PASS_UNKNOWN_FLOW,
  PASS_HEADERS,
  ICMP_TRANSLATED,
  DROP_TUPLE_TAKEN
}
