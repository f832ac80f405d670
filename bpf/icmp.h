/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/*
 * ICMP errors. One that goes by is translated with the packet it quotes: its tuple, reversed, is
 * that of the flow's entry at this hook. One that says "port unreachable" is made from a packet for
 * a frontend without backends.
 */
#pragma once

#include "ct.h"
#include "rewrite.h"

#define ICMP_CHECKSUM 2
#define ICMP_LENGTH   8
/* A host quotes as much as keeps the error within what every path carries. */
#define QUOTE_V4    (576 - sizeof(struct iphdr) - ICMP_LENGTH)
#define QUOTE_V6    (1280 - sizeof(struct ipv6hdr) - ICMP_LENGTH)
#define SUM_CHUNK   64
#define SUM_CHUNKS  (1280 / SUM_CHUNK)
#define ERROR_TTL   64
#define TOS_CONTROL 0xc0 /* internetwork control, as the kernel marks its own errors */

/* Updates the L4 checksum that the quoted packet carries, if that much of it was quoted. */
static __always_inline int rewrite_quoted_checksum(struct __sk_buff *skb, const struct packet *in,
						   __u32 icmp_checksum, __u32 change)
{
	__u32 at = in->l4 + checksum_offset(in->key.proto);
	__u16 old, new;

	if (at + sizeof(old) > in->end || bpf_skb_load_bytes(skb, at, &old, sizeof(old)))
		return 0;
	if (in->key.proto == IPPROTO_UDP && !old)
		return 0;
	new = ~fold((__u64)(__u16)~old + change);
	if (in->key.proto == IPPROTO_UDP && !new)
		new = 0xffff;
	if (bpf_l4_csum_replace(skb, icmp_checksum, old, new, 2))
		return -1;
	return bpf_skb_store_bytes(skb, at, &new, sizeof(new), 0);
}

/*
 * Rewrites the source or destination of the quoted packet. The quoted IPv4 header's checksum makes
 * up for its address; everything else is taken out of the ICMP checksum and put in again.
 */
static __noinline int rewrite_quoted(struct __sk_buff *skb, const struct packet *p,
				     const struct packet *in, const struct ct *value)
{
	bool source = in->key.hook == CT_INGRESS;
	const struct addr *old = source ? &in->key.saddr : &in->key.daddr;
	__be16 old_port = source ? in->key.sport : in->key.dport;
	__u32 icmp_checksum = p->l4 + ICMP_CHECKSUM;
	__u32 at = in->l3 + address_offset(in->v6, source);
	__u32 ports[2] = {old_port, value->port};
	__u32 change;
	int error = 0;

	change = address_change(old, &value->addr);
	if (in->v6) {
		error |= bpf_l4_csum_replace(skb, icmp_checksum, 0, change, 0);
		error |= bpf_skb_store_bytes(skb, at, &value->addr, sizeof(value->addr), 0);
	} else {
		error |= bpf_l3_csum_replace(skb, in->l3 + IPV4_CHECKSUM, old->w[3],
					     value->addr.w[3], 4);
		error |= bpf_skb_store_bytes(skb, at, &value->addr.w[3], 4, 0);
	}
	if (old_port != value->port) {
		error |= bpf_l4_csum_replace(skb, icmp_checksum, old_port, value->port, 2);
		error |= bpf_skb_store_bytes(skb, in->l4 + (source ? 0 : 2), &value->port, 2, 0);
	}
	change = bpf_csum_diff(&ports[0], 4, &ports[1], 4, change);
	return error | rewrite_quoted_checksum(skb, in, icmp_checksum, change);
}

/* Writes an address of the error itself, whose checksum covers it in IPv6 only. */
static __always_inline int rewrite_outer(struct __sk_buff *skb, const struct packet *p,
					 const struct addr *new, bool source)
{
	const struct addr *old = source ? &p->key.saddr : &p->key.daddr;

	if (p->v6 && bpf_l4_csum_replace(skb, p->l4 + ICMP_CHECKSUM, 0, address_change(old, new),
					 BPF_F_PSEUDO_HDR))
		return -1;
	return store_address(skb, p->l3, p->v6, source, old, new);
}

/* Translates an error about a flow that is in ct; less than 0 if it was left half-way. */
static __noinline int translate_error(struct __sk_buff *skb, const struct packet *p,
				      struct packet *in)
{
	const struct ct *entry;
	struct ct_key reversed;
	struct ct value;
	int error;

	in->v6 = p->v6;
	in->quoted = 1;
	in->fragment = FRAGMENT_NONE;
	in->tcp_flags = 0;
	in->l3 = p->l4 + ICMP_LENGTH;
	in->key.hook = p->key.hook;
	if (parse_ip(skb, in) != PARSED_FLOW || !addr_equal(&p->key.daddr, &in->key.saddr))
		return 0;
	if (in->end > p->end)
		in->end = p->end;
	set_key(&reversed, in->key.hook, in->key.proto, &in->key.daddr, in->key.dport,
		&in->key.saddr, in->key.sport);
	entry = bpf_map_lookup_elem(&ct, &reversed);
	if (!entry || is_stacks(entry))
		return 0;
	value = *entry;
	tally(COUNTER_ICMP_TRANSLATED);
	error = rewrite_quoted(skb, p, in, &value);
	if (p->key.hook == CT_INGRESS)
		return error | rewrite_outer(skb, p, &value.addr, false);
	/* What a backend says comes from the frontend; masquerading hides every sender. */
	if (value.flags & CT_FORWARD || addr_equal(&p->key.saddr, &in->key.daddr))
		return error | rewrite_outer(skb, p, &value.addr, true);
	return error;
}

/* The sum of `length` bytes, a multiple of 4, at `at`; less than 0 if they are not there. */
static __noinline __s64 sum_bytes(struct __sk_buff *skb, __u32 at, __u32 length)
{
	__be32 chunk[SUM_CHUNK / 4];
	__s64 sum = 0;
	__u32 i;

	/* Constant lengths: verifiers lose a length that is computed. */
	for (i = 0; i < SUM_CHUNKS && length >= sizeof(chunk); i++) {
		IN_REGISTER(i);
		if (bpf_skb_load_bytes(skb, at, chunk, sizeof(chunk)))
			return -1;
		sum = bpf_csum_diff(NULL, 0, chunk, sizeof(chunk), sum);
		at += sizeof(chunk);
		length -= sizeof(chunk);
	}
	for (i = 0; i < SUM_CHUNK / 4 && length >= 4; i++) {
		IN_REGISTER(i);
		if (bpf_skb_load_bytes(skb, at, chunk, 4))
			return -1;
		sum = bpf_csum_diff(NULL, 0, chunk, 4, sum);
		at += 4;
		length -= 4;
	}
	return sum;
}

/* The sum of the pseudo header: what the checksum field holds while the sum is not yet made. */
static __always_inline __u16 pseudo_header(const struct packet *p)
{
	__be32 words[10] = {};

	words[0] = p->key.saddr.w[3];
	words[1] = p->key.daddr.w[3];
	if (p->v6) {
		words[2] = p->key.saddr.w[0];
		words[3] = p->key.saddr.w[1];
		words[4] = p->key.saddr.w[2];
		words[5] = p->key.daddr.w[0];
		words[6] = p->key.daddr.w[1];
		words[7] = p->key.daddr.w[2];
	}
	words[8] = bpf_htonl(p->end - p->l4);
	words[9] = bpf_htonl(p->key.proto);
	return fold(bpf_csum_diff(NULL, 0, words, sizeof(words), 0));
}

/*
 * The sum of the packet that is quoted, as it will be. A packet from a virtual device may come with
 * its checksum not yet made (CHECKSUM_PARTIAL, which no program can see or end): it will be made
 * over whatever then stands from the L4 header to the end, and makes that sum to the complement of
 * the pseudo header's.
 */
static __always_inline __s64 sum_quote(struct __sk_buff *skb, const struct packet *p, __u32 length)
{
	__u16 checksum;
	__s64 sum;

	if (bpf_skb_load_bytes(skb, p->l4 + checksum_offset(p->key.proto), &checksum,
			       sizeof(checksum)))
		return -1;
	if (checksum != pseudo_header(p))
		return sum_bytes(skb, p->l3, length);
	sum = sum_bytes(skb, p->l3, p->l4 - p->l3);
	return sum < 0 ? sum : sum + (__u16)~checksum;
}

/* How much of the packet is quoted: all, up to a limit, in whole words; 0 when that is too little.
 */
static __always_inline __u32 quote_length(const struct packet *p)
{
	__u32 limit = p->v6 ? QUOTE_V6 : QUOTE_V4;
	__u32 least = p->l4 - p->l3 + (p->key.proto == IPPROTO_TCP ? TCP_LENGTH : UDP_LENGTH);
	__u32 length = (p->end - p->l3) & ~3U;

	if (length > limit)
		length = limit;
	return length >= least ? length : 0;
}

static __always_inline int write_error_v4(struct __sk_buff *skb, const struct packet *p,
					  __u32 length, __s64 sum)
{
	struct {
		struct iphdr ip;
		struct icmpv4 icmp;
	} error = {};

	error.ip.version = 4;
	error.ip.ihl = sizeof(error.ip) / 4;
	error.ip.tos = TOS_CONTROL;
	error.ip.tot_len = bpf_htons(sizeof(error) + length);
	error.ip.frag_off = bpf_htons(0x4000); /* cannot be fragmented, so needs no id */
	error.ip.ttl = ERROR_TTL;
	error.ip.protocol = IPPROTO_ICMP;
	error.ip.saddr = p->key.daddr.w[3];
	error.ip.daddr = p->key.saddr.w[3];
	error.ip.check = ~fold(bpf_csum_diff(NULL, 0, (__be32 *)&error.ip, sizeof(error.ip), 0));
	error.icmp.type = ICMP_DEST_UNREACH;
	error.icmp.code = ICMP_PORT_UNREACH;
	error.icmp.checksum =
		~fold(bpf_csum_diff(NULL, 0, (__be32 *)&error.icmp, sizeof(error.icmp), sum));
	return bpf_skb_store_bytes(skb, p->l3, &error, sizeof(error), 0);
}

static __always_inline int write_error_v6(struct __sk_buff *skb, const struct packet *p,
					  __u32 length, __s64 sum)
{
	struct {
		struct ipv6hdr ip;
		struct icmp6hdr icmp;
	} error = {};
	__be32 rest[2];

	error.ip.version = 6;
	error.ip.payload_len = bpf_htons(sizeof(error.icmp) + length);
	error.ip.nexthdr = IPPROTO_ICMPV6;
	error.ip.hop_limit = ERROR_TTL;
	__builtin_memcpy(&error.ip.saddr, &p->key.daddr, sizeof(struct addr));
	__builtin_memcpy(&error.ip.daddr, &p->key.saddr, sizeof(struct addr));
	error.icmp.icmp6_type = ICMPV6_DEST_UNREACH;
	error.icmp.icmp6_code = ICMPV6_PORT_UNREACH;
	rest[0] = bpf_htonl(sizeof(error.icmp) + length);
	rest[1] = bpf_htonl(IPPROTO_ICMPV6);
	sum = bpf_csum_diff(NULL, 0, rest, sizeof(rest), sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&error.ip.saddr, 2 * sizeof(struct addr), sum);
	sum = bpf_csum_diff(NULL, 0, (__be32 *)&error.icmp, sizeof(error.icmp), sum);
	error.icmp.icmp6_cksum = ~fold(sum);
	return bpf_skb_store_bytes(skb, p->l3, &error, sizeof(error), 0);
}

static __always_inline int swap_macs(struct __sk_buff *skb)
{
	__u8 macs[2 * ETH_ALEN], swapped[2 * ETH_ALEN];

	if (bpf_skb_load_bytes(skb, 0, macs, sizeof(macs)))
		return -1;
	__builtin_memcpy(swapped, macs + ETH_ALEN, ETH_ALEN);
	__builtin_memcpy(swapped + ETH_ALEN, macs, ETH_ALEN);
	return bpf_skb_store_bytes(skb, 0, swapped, sizeof(swapped), 0);
}

/* RFC 1122: no error about what came from no single host. */
static __always_inline bool may_answer(const struct packet *p)
{
	const struct addr *client = &p->key.saddr;

	if (p->fragment == FRAGMENT_LATER || addr_is_any(client) || addr_is_loopback(client))
		return false;
	if (p->v6)
		return (client->w[0] & bpf_htonl(0xff000000)) != bpf_htonl(0xff000000);
	return bpf_ntohl(client->w[3]) < 0xe0000000; /* neither multicast nor broadcast */
}

/* Makes the packet into "port unreachable" to its sender and sends it back where it came from. */
static __noinline int reject(struct __sk_buff *skb, const struct packet *p)
{
	__u32 length = quote_length(p);
	__s64 sum;
	int error;

	tally(COUNTER_REJECTED);
	if (!length || !may_answer(p) || bpf_skb_change_tail(skb, p->l3 + length, 0))
		return TC_ACT_SHOT;
	sum = sum_quote(skb, p, length);
	if (sum < 0)
		return TC_ACT_SHOT;
	if (bpf_skb_adjust_room(
		    skb, ICMP_LENGTH + (p->v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr)),
		    BPF_ADJ_ROOM_MAC, 0))
		return TC_ACT_SHOT;
	error = p->v6 ? write_error_v6(skb, p, length, sum) : write_error_v4(skb, p, length, sum);
	if (error || (p->l3 && swap_macs(skb)))
		return TC_ACT_SHOT;
	return bpf_redirect(skb->ifindex, 0);
}
