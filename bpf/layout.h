/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * The layout of every pinned map, version 1. The Java twin is io.pointsman.dataplane.bpf.Layout; a
 * change of either is a new version and a new folder under /sys/fs/bpf/pointsman/.
 *
 * Addresses are 16 bytes in network order, IPv4 v4-mapped (::ffff:a.b.c.d). Ports are in network
 * order everywhere. All other integers are in host order.
 */
#pragma once

#include <linux/types.h>

#define LAYOUT_VERSION 1

struct addr {
	__be32 w[4];
};

/* nat_fe: frontend -> backend set. Node ports stand once, under the wildcard of their family. */
struct nat_fe_key {
	struct addr addr;
	__be16 port;
	__u8 proto;
	__u8 scope; /* 0; room for views of one frontend that differ by where the client is */
};

struct nat_fe {
	__u32 id;    /* backend set: nat_be keys (id, 0..count-1); new on every change of the set */
	__u32 count; /* 0 rejects */
	__u32 local; /* ordinals 0..local-1 run on this node */
	__u32 service;	/* stays the same while the Service port lives: affinity, counters */
	__u32 affinity; /* seconds, 0 for none */
	__u32 flags;	/* FE_* */
	__u32 cursor;	/* round robin: the programs count it up in place; no part of the digest */
	__u8 scheduler; /* SCHED_* */
	__u8 kind;	/* FE_KIND_* */
	__u16 terminating; /* behind these, ordinals of endpoints that only keep UDP flows */
};

#define FE_EXTERNAL_LOCAL (1U << 0)
#define FE_INTERNAL_LOCAL (1U << 1)
#define FE_SOURCE_RANGES  (1U << 2)
#define FE_DROP		  (1U << 3)

#define FE_KIND_CLUSTER_IP    0
#define FE_KIND_EXTERNAL_IP   1
#define FE_KIND_LOAD_BALANCER 2
#define FE_KIND_NODE_PORT     3

#define SCHED_RANDOM 0
#define SCHED_RR     1

/*
 * nat_be: backend set and ordinal -> backend. Those of this node come first; they and the others
 * each ascend by address and port, as numbers.
 */
struct nat_be_key {
	__u32 id;
	__u32 ordinal;
};

struct nat_be {
	struct addr addr;
	__be16 port;
	__u16 weight; /* 1; room for weighted schedulers */
	__u32 flags;  /* BE_* */
	__u32 id;     /* the key's id again: a reader that raced with reuse of the entry sees it */
};

#define BE_LOCAL (1U << 0)

/*
 * ct: one entry per direction and hook. At ingress an entry says where a packet goes (new
 * destination), at egress where it comes from (new source). A flow has two entries, or four when
 * its source is masqueraded.
 */
struct ct_key {
	struct addr saddr;
	struct addr daddr;
	__be16 sport;
	__be16 dport;
	__u8 proto;
	__u8 hook; /* CT_INGRESS, CT_EGRESS or CT_SOCKET */
	__u16 pad;
};

#define CT_INGRESS 0
#define CT_EGRESS  1
/*
 * Datagrams from a socket's port to a frontend are a flow of the stack; written by the agent. The
 * program cannot know the source address: it is :: for sockets of pods, ::1 for those of the host.
 */
#define CT_SOCKET 2

struct ct {
	struct addr addr; /* what the hook writes into the packet; CT_STACK: backend or zero */
	__be16 port;
	__u16 flags;	 /* CT_* */
	__u32 service;	 /* CT_STACK, UDP: seconds of silence after which the flow is forgotten */
	__u64 last_seen; /* bpf_ktime_get_boot_ns, at most one second behind */
	__u32 set;	 /* ingress forward entries: backend set that had this backend, 0 unknown */
	__u32 tick;	 /* jiffies when last_seen was written: tells cheaply that it is recent */
};

#define CT_FORWARD     (1U << 0) /* client to backend; entries without it are replies */
#define CT_SEEN_REPLY  (1U << 1)
#define CT_CLOSING     (1U << 2) /* FIN or RST was seen */
#define CT_MASQUERADED (1U << 3)
#define CT_STACK       (1U << 4) /* the stack (conntrack, ip_vs) translates the flow */
#define CT_HELD	       (1U << 5) /* is being handed to the stack: TCP will send it again */

/*
 * sock_nat: what was done for a socket, by its cookie. SOCK_PEER: a backend -> the frontend that
 * the socket believes its peer to be. SOCK_STICKY: a frontend -> the backend that an unconnected
 * UDP socket was given, so that all its datagrams go to one place.
 */
struct sock_nat_key {
	__u64 cookie;
	struct addr addr;
	__be16 port;
	__u8 proto;
	__u8 kind; /* SOCK_* */
	__u8 pad[4];
};

#define SOCK_PEER   0
#define SOCK_STICKY 1

struct sock_nat {
	struct addr addr;
	__be16 port;
	__u8 pad[2];
	__u32 service;
	__u32 set; /* SOCK_STICKY: backend set that had this backend */
	__u32 reserved;
	__u64 last_seen; /* SOCK_STICKY: as in ct */
};

/* frag: a datagram in fragments -> the ports that only its first fragment carries. */
struct frag_key {
	struct addr saddr;
	struct addr daddr;
	__u32 id; /* as it stands in the packet */
	__u8 proto;
	__u8 hook; /* CT_INGRESS or CT_EGRESS */
	__u8 pad[2];
};

struct frag {
	__be16 sport;
	__be16 dport;
};

/* node_addr: addresses of this node that answer on node ports -> flags (0). */
struct node_addr_key {
	struct addr addr;
};

/*
 * device: ifindex -> the addresses that masqueraded packets leave the device with, zero for none.
 * Entry 0 holds the node's primary addresses, for devices that have none.
 */
struct device {
	struct addr v4;
	struct addr v6;
};

/* affinity: client and Service -> backend. Room; no program uses it yet. */
struct affinity_key {
	struct addr client;
	__u32 service;
	__u32 pad;
};

struct affinity {
	struct addr backend;
	__be16 port;
	__u16 pad[3];
	__u64 last_seen;
};

/* config: one entry, written by the agent. */
struct config {
	__u32 phase;	       /* PHASE_* */
	__u16 masquerade_low;  /* host order: first port for masqueraded flows */
	__u16 masquerade_high; /* host order: last port */
	__u64 host_netns; /* cookie of the node's network namespace, 0: the machine's first one */
	__u16 node_port_low;  /* host order: first node port */
	__u16 node_port_high; /* host order: last node port */
	__u16 udp_timeout;    /* seconds until conntrack forgets datagrams without an answer */
	__u16 stream_timeout; /* seconds until it forgets those that go both ways */
	__u64 reserved[2];
};

#define PHASE_PREPARED 0 /* attached, leaves every packet and socket alone */
#define PHASE_ACTIVE   1
#define PHASE_DRAINING 2 /* serves only flows that are in ct */

/* counters: per-CPU, indexed by COUNTER_*; names are in io.pointsman.dataplane.bpf.Counter. */
enum counter {
	COUNTER_SOCKET_CONNECT,
	COUNTER_SOCKET_SENDMSG,
	COUNTER_SOCKET_REJECTED,
	COUNTER_FLOW_NEW,
	COUNTER_FLOW_MASQUERADED,
	COUNTER_REJECTED,
	COUNTER_DROP_NO_MASQUERADE_PORT,
	COUNTER_DROP_CT_FULL,
	COUNTER_DROP_MALFORMED,
	COUNTER_LOOKUP_RACED,
	COUNTER_PASS_FRAGMENT,
	COUNTER_PASS_UNKNOWN_FLOW,
	COUNTER_PASS_HEADERS,
	COUNTER_ICMP_TRANSLATED,
	COUNTER_DROP_TUPLE_TAKEN,
	COUNTER_MAX,
};
