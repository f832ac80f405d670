/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* Whether a flow needs an address of this node as its source, which one, and which port. */
#pragma once

#include "ct.h"

#define PORT_TRIES  32
#define PORT_STRIDE 997 /* prime: steps through any range that it does not divide */
#define HASH_PRIME  0x9e3779b1U

#define FAMILY_V4 2  /* AF_INET */
#define FAMILY_V6 10 /* AF_INET6 */

/* The device that the kernel would send a packet from client to backend to, 0 if it has none. */
static __noinline __u32 egress_device(struct __sk_buff *skb, const struct packet *p,
				      const struct backend *backend)
{
	struct bpf_fib_lookup fib = {};
	long result;

	fib.ifindex = skb->ifindex;
	fib.l4_protocol = p->key.proto;
	fib.sport = p->key.sport;
	fib.dport = backend->port;
	if (p->v6) {
		fib.family = FAMILY_V6;
		__builtin_memcpy(fib.ipv6_src, &p->key.saddr, sizeof(struct addr));
		__builtin_memcpy(fib.ipv6_dst, &backend->addr, sizeof(struct addr));
	} else {
		fib.family = FAMILY_V4;
		fib.ipv4_src = p->key.saddr.w[3];
		fib.ipv4_dst = backend->addr.w[3];
	}
	result = bpf_fib_lookup(skb, &fib, sizeof(fib), 0);
	/* Any other result leaves the device that the packet came from in the structure. */
	if (result == BPF_FIB_LKUP_RET_SUCCESS || result == BPF_FIB_LKUP_RET_NO_NEIGH ||
	    result == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		return fib.ifindex;
	return 0;
}

/* The address that packets leave the device with, else the node's primary one. */
static __always_inline bool device_address(__u32 ifindex, bool v6, struct addr *address)
{
	const struct device *entry = bpf_map_lookup_elem(&device, &ifindex);

	if (entry)
		*address = v6 ? entry->v6 : entry->v4;
	if (entry && !addr_is_zero(address))
		return true;
	ifindex = 0;
	entry = bpf_map_lookup_elem(&device, &ifindex);
	if (!entry)
		return false;
	*address = v6 ? entry->v6 : entry->v4;
	return !addr_is_zero(address);
}

/* Whether a socket of this host would take packets that come with the key's tuple. */
static __noinline bool host_owns(struct __sk_buff *skb, const struct ct_key *key)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sock;
	__u32 size;

	if (addr_is_v4(&key->saddr)) {
		tuple.ipv4.saddr = key->saddr.w[3];
		tuple.ipv4.daddr = key->daddr.w[3];
		tuple.ipv4.sport = key->sport;
		tuple.ipv4.dport = key->dport;
		size = sizeof(tuple.ipv4);
	} else {
		__builtin_memcpy(tuple.ipv6.saddr, &key->saddr, sizeof(struct addr));
		__builtin_memcpy(tuple.ipv6.daddr, &key->daddr, sizeof(struct addr));
		tuple.ipv6.sport = key->sport;
		tuple.ipv6.dport = key->dport;
		size = sizeof(tuple.ipv6);
	}
	if (key->proto == IPPROTO_TCP)
		sock = bpf_skc_lookup_tcp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	else
		sock = bpf_sk_lookup_udp(skb, &tuple, size, BPF_F_CURRENT_NETNS, 0);
	if (!sock)
		return false;
	bpf_sk_release(sock);
	return true;
}

/* A hash of the flow's tuple: backend from the reply's key, client from its value. */
static __always_inline __u32 hash_flow(const struct ct_key *reply, const struct ct *value)
{
	__u32 hash = value->addr.w[3] ^ (__u32)value->port << 16 ^ reply->sport;

	hash = (hash ^ hash >> 15) * HASH_PRIME;
	hash ^= value->addr.w[0] ^ value->addr.w[1] ^ value->addr.w[2] ^ reply->saddr.w[3];
	hash = (hash ^ hash >> 13) * HASH_PRIME;
	return hash ^ hash >> 16;
}

/*
 * Claims a port by creating the entry of the replies, whose daddr is the node's address. A port of
 * a flow that is over, or does without it, is taken over; if all that were tried are in use, the
 * one of the flow that was done longest ago. 0 when there is none.
 */
static __noinline __be16 claim_port(struct __sk_buff *skb, struct ct_key *reply,
				    const struct ct *value)
{
	const struct config *config = configuration();
	struct scratch *memory = scratch_memory();
	__u32 hash, range, i;
	const struct ct *old;

	if (!config || !memory || !config->masquerade_low ||
	    config->masquerade_high < config->masquerade_low)
		return 0;
	range = config->masquerade_high - config->masquerade_low + 1;
	memory->done_idle = SECOND;
	memory->done_port = 0;
	hash = hash_flow(reply, value);
	for (i = 0; i < PORT_TRIES; i++) {
		IN_REGISTER(i);
		reply->dport = bpf_htons(config->masquerade_low + (hash + i * PORT_STRIDE) % range);
		if (bpf_map_update_elem(&ct, reply, value, BPF_NOEXIST)) {
			old = bpf_map_lookup_elem(&ct, reply);
			if (!old)
				continue;
			if (!is_over(reply, old, value->last_seen) && !is_bypassed(reply, old)) {
				__u64 idle = idle_time(old, value->last_seen);

				if (idle > memory->done_idle && is_done(reply, old)) {
					memory->done_idle = idle;
					memory->done_port = reply->dport;
				}
				continue;
			}
			give_up(reply, old, &memory->flow);
			bpf_map_update_elem(&ct, reply, value, BPF_ANY);
		}
		if (!host_owns(skb, reply))
			return reply->dport;
		bpf_map_delete_elem(&ct, reply);
	}
	if (!memory->done_port)
		return 0;
	reply->dport = memory->done_port;
	old = bpf_map_lookup_elem(&ct, reply);
	if (!old)
		return 0;
	give_up(reply, old, &memory->flow);
	bpf_map_update_elem(&ct, reply, value, BPF_ANY);
	return reply->dport;
}
