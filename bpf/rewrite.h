/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * Writing an address and a port into a packet. The helpers keep the checksum right in each way that
 * the kernel holds one: the address changes the pseudo header, which is all that a checksum still
 * to be computed (CHECKSUM_PARTIAL) has in it; the port is covered by the device's sum. A UDP
 * checksum of zero stays zero, one that becomes zero is written as 0xffff.
 */
#pragma once

#include "parse.h"

#define IPV4_CHECKSUM offsetof(struct iphdr, check)

static __always_inline __u32 address_offset(bool v6, bool source)
{
	if (v6)
		return source ? offsetof(struct ipv6hdr, saddr) : offsetof(struct ipv6hdr, daddr);
	return source ? offsetof(struct iphdr, saddr) : offsetof(struct iphdr, daddr);
}

static __always_inline __u16 fold(__u64 sum)
{
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 32) + (sum & 0xffffffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	sum = (sum >> 16) + (sum & 0xffff);
	return sum;
}

/* What a sum over the address grows by, folded to 32 bits as the helpers take it. */
static __always_inline __u32 address_change(const struct addr *old, const struct addr *new)
{
	__u64 sum = (__u64) new->w[0] + new->w[1] + new->w[2] + new->w[3];

	sum += (__u64)(__u32)~old->w[0] + (__u32)~old->w[1] + (__u32)~old->w[2] + (__u32)~old->w[3];
	sum = (sum >> 32) + (sum & 0xffffffff);
	return (sum >> 32) + sum;
}

/*
 * IPv6 has no header checksum that makes up for the address, so the packet's own sum
 * (CHECKSUM_COMPLETE) changes with it, and the L4 helper takes as much off again.
 */
static __always_inline int store_address(struct __sk_buff *skb, __u32 l3, bool v6, bool source,
					 const struct addr *old, const struct addr *new)
{
	__u32 at = l3 + address_offset(v6, source);

	if (v6)
		return bpf_skb_store_bytes(skb, at, new, sizeof(*new), BPF_F_RECOMPUTE_CSUM);
	if (bpf_l3_csum_replace(skb, l3 + IPV4_CHECKSUM, old->w[3], new->w[3], 4))
		return -1;
	return bpf_skb_store_bytes(skb, at, &new->w[3], 4, 0);
}

/* Updates the L4 checksum for another address and port. */
static __always_inline int rewrite_checksum(struct __sk_buff *skb, const struct packet *p,
					    const struct addr *old, const struct addr *new,
					    __be16 old_port, __be16 port)
{
	__u32 at = p->l4 + checksum_offset(p->key.proto);
	__u64 flags = p->key.proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
	int error;

	if (p->v6)
		error = bpf_l4_csum_replace(skb, at, 0, address_change(old, new),
					    flags | BPF_F_PSEUDO_HDR);
	else
		error = bpf_l4_csum_replace(skb, at, old->w[3], new->w[3],
					    flags | BPF_F_PSEUDO_HDR | 4);
	if (old_port != port)
		error |= bpf_l4_csum_replace(skb, at, old_port, port, flags | 2);
	return error;
}

/* From the IPv4 header's checksum on; the ports follow where there are no options. */
struct v4_tail {
	__u16 check;
	__be16 words[4]; /* addresses in halves: no gap behind the checksum */
	struct ports ports;
} __attribute__((packed));

/* Checksum, addresses and ports of IPv4 lie side by side, and are written at once. */
static __always_inline int write_v4(struct __sk_buff *skb, const struct packet *p,
				    const struct addr *new, __be16 port, bool source)
{
	const struct addr *old = source ? &p->key.saddr : &p->key.daddr;
	__u32 length = sizeof(struct v4_tail) - sizeof(struct ports);
	__be32 saddr = source ? new->w[3] : p->key.saddr.w[3];
	__be32 daddr = source ? p->key.daddr.w[3] : new->w[3];
	struct v4_tail tail;

	tail.check = ~fold((__u64)(__u16)~p->check + (__u32)~old->w[3] + new->w[3]);
	__builtin_memcpy(&tail.words[0], &saddr, sizeof(saddr));
	__builtin_memcpy(&tail.words[2], &daddr, sizeof(daddr));
	tail.ports.sport = source ? port : p->key.sport;
	tail.ports.dport = source ? p->key.dport : port;
	if (p->fragment == FRAGMENT_LATER)
		return bpf_skb_store_bytes(skb, p->l3 + IPV4_CHECKSUM, &tail, length, 0);
	if (p->l4 == p->l3 + sizeof(struct iphdr))
		return bpf_skb_store_bytes(skb, p->l3 + IPV4_CHECKSUM, &tail, sizeof(tail), 0);
	return bpf_skb_store_bytes(skb, p->l3 + IPV4_CHECKSUM, &tail, length, 0) |
	       bpf_skb_store_bytes(skb, p->l4, &tail.ports, sizeof(tail.ports), 0);
}

/* Writes the new source or destination; 0, or less when the kernel had no memory for it. */
static __always_inline int rewrite(struct __sk_buff *skb, const struct packet *p,
				   const struct addr *new, __be16 port, bool source)
{
	const struct addr *old = source ? &p->key.saddr : &p->key.daddr;
	__be16 old_port = source ? p->key.sport : p->key.dport;
	int error = 0;

	if (p->fragment != FRAGMENT_LATER)
		error = rewrite_checksum(skb, p, old, new, old_port, port);
	if (!p->v6)
		return error | write_v4(skb, p, new, port, source);
	if (p->fragment != FRAGMENT_LATER && old_port != port)
		error |= bpf_skb_store_bytes(skb, p->l4 + (source ? 0 : 2), &port, sizeof(port), 0);
	return error | store_address(skb, p->l3, true, source, old, new);
}
