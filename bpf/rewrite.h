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

static __always_inline __s64 address_change(const struct addr *old, const struct addr *new)
{
	return bpf_csum_diff((__be32 *)old, sizeof(*old), (__be32 *)new, sizeof(*new), 0);
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

/* Writes the new source or destination; 0, or less when the kernel had no memory for it. */
static __always_inline int rewrite(struct __sk_buff *skb, const struct packet *p,
				   const struct addr *new, __be16 port, bool source)
{
	const struct addr *old = source ? &p->key.saddr : &p->key.daddr;
	__be16 old_port = source ? p->key.sport : p->key.dport;
	__u32 checksum = p->l4 + checksum_offset(p->key.proto);
	__u64 flags = p->key.proto == IPPROTO_UDP ? BPF_F_MARK_MANGLED_0 : 0;
	int error = 0;

	if (p->fragment != FRAGMENT_LATER) {
		if (p->v6)
			error |= bpf_l4_csum_replace(skb, checksum, 0, address_change(old, new),
						     flags | BPF_F_PSEUDO_HDR);
		else
			error |= bpf_l4_csum_replace(skb, checksum, old->w[3], new->w[3],
						     flags | BPF_F_PSEUDO_HDR | 4);
		if (old_port != port) {
			error |= bpf_l4_csum_replace(skb, checksum, old_port, port, flags | 2);
			error |= bpf_skb_store_bytes(skb, p->l4 + (source ? 0 : 2), &port,
						     sizeof(port), 0);
		}
	}
	return error | store_address(skb, p->l3, p->v6, source, old, new);
}
