/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* From bytes to a tuple: Ethernet or none, IPv4 options, IPv6 extension headers, fragments. */
#pragma once

#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/icmpv6.h>
#include "lookup.h"
#include "maps.h"

#define VLAN_ID	      0xfff
#define IP_MF	      0x2000
#define IP_OFFSET     0x1fff
#define IP6_MF	      0x0001
#define IP6_OFFSET    0xfff8
#define IPPROTO_HOP   0
#define IPPROTO_ROUTE 43
#define IPPROTO_FRAG  44
#define IPPROTO_DSTS  60
/* Extension headers that are walked; a packet with more is left alone. */
#define MAX_HEADERS 8

#define TCP_LENGTH 20
#define UDP_LENGTH 8
#define TCP_FIN	   0x01
#define TCP_SYN	   0x02
#define TCP_RST	   0x04
#define TCP_ACK	   0x10

/* linux/icmp.h draws in the C library, which has no headers for this target. */
struct icmpv4 {
	__u8 type;
	__u8 code;
	__be16 checksum;
	__be32 rest;
};

#define ICMP_DEST_UNREACH  3
#define ICMP_SOURCE_QUENCH 4
#define ICMP_TIME_EXCEEDED 11
#define ICMP_PARAMETERPROB 12
#define ICMP_PORT_UNREACH  3

enum parsed {
	PARSED_FLOW,	  /* TCP or UDP with its ports known */
	PARSED_ICMP,	  /* an ICMP error: l4 is its header */
	PARSED_OTHER,	  /* nothing that has a Service */
	PARSED_HEADERS,	  /* hidden behind headers that are not walked, or cut short */
	PARSED_FRAGMENT,  /* a fragment whose ports are not known */
	PARSED_MALFORMED, /* no host accepts it */
};

enum fragment {
	FRAGMENT_NONE,
	FRAGMENT_FIRST,
	FRAGMENT_LATER, /* has no L4 header */
};

struct packet {
	struct ct_key key; /* the tuple as it stands in the packet, and the hook */
	__u32 l3;	   /* offset of the IP header */
	__u32 l4;	   /* offset of the TCP, UDP or ICMP header */
	__u32 end;	   /* offset behind the last byte that is IP's */
	__u32 fragment_id;
	__u8 v6;
	__u8 fragment; /* enum fragment */
	__u8 tcp_flags;
	__u16 check; /* of the IPv4 header, as it stands */
	__u8 quoted; /* inside an ICMP error: may be cut short behind 8 bytes of L4 */
};

/*
 * What is parsed is kept in memory of the CPU and not on the stack: there the verifier would follow
 * each way in which a packet can be parsed through everything that is done with it afterwards. No
 * other packet comes in between, as both hooks run with softirqs disabled.
 */
struct scratch {
	struct packet packet;
	struct packet quoted;
	struct nat_fe_key frontend;
	struct backend backend;
	struct ct value;     /* of the entries of a new flow */
	struct ct_key reply; /* of a new flow's answers at egress */
	struct ct_key flow;  /* a flow to be forgotten */
	struct ct_key pair;  /* one of its entries */
	__u64 done_idle;     /* of the flow that was done longest ago */
	__be16 done_port;    /* and its port; 0 for none */
};

/* It may be pinned with the others, so its size stays what it is. */
#define SCRATCH_SIZE 512

_Static_assert(sizeof(struct scratch) <= SCRATCH_SIZE, "the map is pinned with this size");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, SCRATCH_SIZE);
} scratch SEC(".maps");

static __always_inline struct scratch *scratch_memory(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

struct ports {
	__be16 sport;
	__be16 dport;
};

/* The part of a TCP header that is looked at. */
struct tcp {
	struct ports ports;
	__be16 numbers[4]; /* in halves, as their place may have no larger alignment */
	__u8 offset;
	__u8 flags;
};

struct ipv6_fragment {
	__u8 next;
	__u8 reserved;
	__be16 offset;
	__be32 id;
};

/* Offsets up to which packets are read in place; every header without exotic options is below. */
#define MAX_DIRECT 255

/* The bytes at an offset: in place where they are, else a copy; NULL when they are not there. */
static __always_inline const void *peek(struct __sk_buff *skb, __u32 at, void *copy, __u32 length)
{
	void *data = (void *)(long)skb->data;

	if (at <= MAX_DIRECT && data + at + length <= (void *)(long)skb->data_end)
		return data + at;
	return bpf_skb_load_bytes(skb, at, copy, length) ? NULL : copy;
}

static __always_inline bool is_new_connection(const struct packet *p)
{
	return (p->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

static __always_inline bool is_ending(const struct packet *p)
{
	return p->tcp_flags & (TCP_FIN | TCP_RST);
}

/* Offset of the checksum in the L4 header. */
static __always_inline __u32 checksum_offset(__u8 proto)
{
	return proto == IPPROTO_TCP ? 16 : 6;
}

/*
 * The length of the L2 header: 14 or 0, or -1 for what is no IP. Nothing tells a program which kind
 * its device is, so the bytes do; where they could be both, the network header decides.
 */
static __always_inline int l2_length(struct __sk_buff *skb)
{
	__u8 version = skb->protocol == bpf_htons(ETH_P_IP) ? 0x40 : 0x60;
	bool bare, ethernet;
	__u32 at_net[5], behind[5];
	const __u8 *head;
	__u8 copy[16];

	head = peek(skb, 0, copy, sizeof(copy));
	if (!head)
		return -1;
	bare = (head[0] & 0xf0) == version;
	ethernet = *(const __be16 *)(head + 12) == skb->protocol && (head[14] & 0xf0) == version;
	if (ethernet != bare)
		return ethernet ? ETH_HLEN : 0;
	if (!ethernet)
		return -1;
	if (bpf_skb_load_bytes(skb, ETH_HLEN, behind, sizeof(behind)) ||
	    bpf_skb_load_bytes_relative(skb, 0, at_net, sizeof(at_net), BPF_HDR_START_NET))
		return 0;
	if (at_net[0] == behind[0] && at_net[1] == behind[1] && at_net[2] == behind[2] &&
	    at_net[3] == behind[3] && at_net[4] == behind[4])
		return ETH_HLEN;
	return 0;
}

static __always_inline void fragment_key(struct frag_key *key, const struct packet *p)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->saddr = p->key.saddr;
	key->daddr = p->key.daddr;
	key->id = p->fragment_id;
	key->proto = p->key.proto;
	key->hook = p->key.hook;
}

/* Keeps the ports of a first fragment for the ones that follow; call before it is rewritten. */
static __noinline void remember_fragment(const struct packet *p)
{
	struct frag_key key;
	struct frag ports;

	fragment_key(&key, p);
	ports.sport = p->key.sport;
	ports.dport = p->key.dport;
	bpf_map_update_elem(&frag, &key, &ports, BPF_ANY);
}

static __noinline int parse_later_fragment(struct packet *p)
{
	const struct frag *ports;
	struct frag_key key;

	if (p->quoted || (p->key.proto != IPPROTO_TCP && p->key.proto != IPPROTO_UDP))
		return PARSED_FRAGMENT;
	fragment_key(&key, p);
	ports = bpf_map_lookup_elem(&frag, &key);
	if (!ports)
		return PARSED_FRAGMENT;
	p->key.sport = ports->sport;
	p->key.dport = ports->dport;
	return PARSED_FLOW;
}

static __always_inline int parse_icmp(struct __sk_buff *skb, struct packet *p)
{
	__u8 type;

	if (p->quoted || p->fragment != FRAGMENT_NONE || p->l4 + sizeof(struct icmpv4) > p->end ||
	    bpf_skb_load_bytes(skb, p->l4, &type, sizeof(type)))
		return PARSED_OTHER;
	if (p->v6)
		return type >= ICMPV6_DEST_UNREACH && type <= ICMPV6_PARAMPROB ? PARSED_ICMP
									       : PARSED_OTHER;
	switch (type) {
	case ICMP_DEST_UNREACH:
	case ICMP_SOURCE_QUENCH:
	case ICMP_TIME_EXCEEDED:
	case ICMP_PARAMETERPROB:
		return PARSED_ICMP;
	}
	return PARSED_OTHER;
}

static __always_inline int parse_l4(struct __sk_buff *skb, struct packet *p)
{
	const struct ports *header;
	struct tcp copy;

	if (p->fragment == FRAGMENT_LATER)
		return parse_later_fragment(p);
	if (p->key.proto == IPPROTO_TCP && !p->quoted) {
		const struct tcp *tcp = peek(skb, p->l4, &copy, sizeof(copy));

		if (!tcp || p->l4 + TCP_LENGTH > p->end)
			return PARSED_HEADERS;
		p->tcp_flags = tcp->flags;
		header = &tcp->ports;
	} else if (p->key.proto == IPPROTO_TCP || p->key.proto == IPPROTO_UDP) {
		/* A UDP header is as long as what an ICMP error quotes of any L4 header. */
		header = peek(skb, p->l4, &copy.ports, sizeof(copy.ports));
		if (!header || p->l4 + UDP_LENGTH > p->end)
			return PARSED_HEADERS;
	} else if (p->key.proto == (p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP)) {
		return parse_icmp(skb, p);
	} else {
		return PARSED_OTHER;
	}
	p->key.sport = header->sport;
	p->key.dport = header->dport;
	return PARSED_FLOW;
}

static __always_inline int parse_v4(struct __sk_buff *skb, struct packet *p)
{
	__u32 header, length;
	const struct iphdr *ip;
	struct iphdr copy;
	__u16 offset;

	ip = peek(skb, p->l3, &copy, sizeof(copy));
	if (!ip)
		return PARSED_MALFORMED;
	header = ip->ihl * 4;
	length = bpf_ntohs(ip->tot_len);
	if (!length && skb->gso_size) /* longer than the field can say */
		length = skb->len - p->l3;
	if (ip->version != 4 || header < sizeof(*ip) || length < header)
		return PARSED_MALFORMED;
	if (p->quoted)
		length = skb->len - p->l3;
	else if (p->l3 + length > skb->len)
		return PARSED_MALFORMED;
	addr_set_v4(&p->key.saddr, ip->saddr);
	addr_set_v4(&p->key.daddr, ip->daddr);
	p->key.proto = ip->protocol;
	p->check = ip->check;
	p->l4 = p->l3 + header;
	p->end = p->l3 + length;
	offset = bpf_ntohs(ip->frag_off);
	if (offset & (IP_MF | IP_OFFSET)) {
		p->fragment = offset & IP_OFFSET ? FRAGMENT_LATER : FRAGMENT_FIRST;
		p->fragment_id = ip->id;
	}
	return parse_l4(skb, p);
}

/* Walks to the L4 header; PARSED_FLOW when it is there or this is a later fragment. */
static __noinline int walk_headers(struct __sk_buff *skb, struct packet *p)
{
	int i;

	for (i = 0; i < MAX_HEADERS; i++) {
		struct ipv6_fragment fragment;
		__u8 header[4];

		IN_REGISTER(i);
		switch (p->key.proto) {
		case IPPROTO_HOP:
		case IPPROTO_ROUTE:
		case IPPROTO_DSTS:
			if (p->l4 + 8 > p->end ||
			    bpf_skb_load_bytes(skb, p->l4, header, sizeof(header)))
				return PARSED_HEADERS;
			/* Not yet at its destination: the checksum is over another address. */
			if (p->key.proto == IPPROTO_ROUTE && header[3])
				return PARSED_HEADERS;
			p->key.proto = header[0];
			p->l4 += (header[1] + 1) * 8;
			break;
		case IPPROTO_FRAG:
			if (p->l4 + sizeof(fragment) > p->end ||
			    bpf_skb_load_bytes(skb, p->l4, &fragment, sizeof(fragment)))
				return PARSED_HEADERS;
			p->key.proto = fragment.next;
			p->l4 += sizeof(fragment);
			p->fragment_id = fragment.id;
			if (fragment.offset & bpf_htons(IP6_OFFSET)) {
				p->fragment = FRAGMENT_LATER;
				return PARSED_FLOW;
			}
			if (fragment.offset & bpf_htons(IP6_MF))
				p->fragment = FRAGMENT_FIRST;
			break;
		case IPPROTO_AH:
			return PARSED_HEADERS; /* signs the addresses */
		default:
			return PARSED_FLOW;
		}
	}
	return PARSED_HEADERS;
}

static __always_inline int parse_v6(struct __sk_buff *skb, struct packet *p)
{
	const struct ipv6hdr *ip;
	struct ipv6hdr copy;
	__u32 length;
	int result;

	ip = peek(skb, p->l3, &copy, sizeof(copy));
	if (!ip || ip->version != 6)
		return PARSED_MALFORMED;
	length = bpf_ntohs(ip->payload_len) + sizeof(*ip);
	if (p->quoted || (!ip->payload_len && skb->gso_size))
		length = skb->len - p->l3;
	else if (p->l3 + length > skb->len)
		return PARSED_MALFORMED;
	__builtin_memcpy(&p->key.saddr, &ip->saddr, sizeof(struct addr));
	__builtin_memcpy(&p->key.daddr, &ip->daddr, sizeof(struct addr));
	p->key.proto = ip->nexthdr;
	p->l4 = p->l3 + sizeof(*ip);
	p->end = p->l3 + length;
	if (p->key.proto != IPPROTO_TCP && p->key.proto != IPPROTO_UDP &&
	    p->key.proto != IPPROTO_ICMPV6) {
		result = walk_headers(skb, p);
		if (result != PARSED_FLOW)
			return result;
	}
	return parse_l4(skb, p);
}

/* Parses what stands at p->l3; p->v6, p->quoted and p->key.hook say what is looked for. */
static __always_inline int parse_ip(struct __sk_buff *skb, struct packet *p)
{
	return p->v6 ? parse_v6(skb, p) : parse_v4(skb, p);
}

/* Parses a packet as the stack will see it at this hook. */
static __always_inline int parse(struct __sk_buff *skb, struct packet *p, __u8 hook)
{
	int l2;

	p->key.pad = 0;
	p->key.sport = 0;
	p->key.dport = 0;
	p->fragment = FRAGMENT_NONE;
	p->tcp_flags = 0;
	p->quoted = 0;
	if (skb->protocol != bpf_htons(ETH_P_IP) && skb->protocol != bpf_htons(ETH_P_IPV6))
		return PARSED_OTHER;
	/* A frame of a VLAN is its VLAN device's, where it comes by without the tag. */
	if (skb->vlan_present && skb->vlan_tci & VLAN_ID)
		return PARSED_OTHER;
	l2 = l2_length(skb);
	if (l2 < 0)
		return PARSED_OTHER;
	p->l3 = l2;
	p->v6 = skb->protocol == bpf_htons(ETH_P_IPV6);
	p->key.hook = hook;
	return parse_ip(skb, p);
}
