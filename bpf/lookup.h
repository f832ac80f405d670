/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* From a frontend to one of its backends, while the agent may be changing both. */
#pragma once

#include <linux/in.h>
#include "addr.h"
#include "counters.h"

/* How often a lookup that raced with a change of its Service starts again. */
#define LOOKUP_TRIES 16
/* How often a set is halved to find a backend in it; no map has room for so large a set. */
#define SEARCH_STEPS 24

enum found {
	FOUND_NONE,  /* no frontend */
	FOUND_EMPTY, /* a frontend without backends */
	FOUND_BACKEND,
	FOUND_RACED, /* every try met a change */
};

struct backend {
	struct addr addr;
	__be16 port;
	__u16 reserved;
	__u32 flags; /* BE_* */
	__u32 set;
	__u32 service;
};

/* What the program may see of an entry that is being replaced must be read once and in order. */
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
/* Older verifiers follow a loop only if its counter is never in memory. */
#define IN_REGISTER(x) asm volatile("" : "+r"(x))
#define barrier()      asm volatile("" ::: "memory")

static __always_inline __u32 next_ordinal(struct nat_fe *fe, __u32 count)
{
	if (fe->scheduler == SCHED_RR) {
		/* Kernels before 5.12 cannot return the old value: two CPUs may read the same. */
		__sync_fetch_and_add(&fe->cursor, 1);
		return (READ_ONCE(fe->cursor) - 1) % count;
	}
	return bpf_get_prandom_u32() % count;
}

/* Whether the frontend still has this set; if so nothing read of it before now can be of another.
 */
static __always_inline bool unchanged(const struct nat_fe_key *key, __u32 id, __u32 count)
{
	const struct nat_fe *fe;

	barrier();
	fe = bpf_map_lookup_elem(&nat_fe, key);
	return fe && READ_ONCE(fe->id) == id && READ_ONCE(fe->count) == count;
}

/*
 * The agent writes a new set, switches the frontend, then deletes the old set, and the kernel may
 * use a deleted entry for another key at once. So the frontend is read again after its backend: as
 * long as it still names the set, the backend was not deleted before.
 */
static __noinline int choose_backend(const struct nat_fe_key *key, struct backend *out)
{
	__u32 i;

	for (i = 0; i < LOOKUP_TRIES; i++) {
		struct nat_fe *fe = bpf_map_lookup_elem(&nat_fe, key);
		struct nat_be_key be_key;
		const struct nat_be *be;
		__u32 count;

		IN_REGISTER(i);
		if (!fe)
			return FOUND_NONE;
		be_key.id = READ_ONCE(fe->id);
		count = READ_ONCE(fe->count);
		if (!count) {
			if (unchanged(key, be_key.id, 0))
				return FOUND_EMPTY;
			goto raced;
		}
		out->set = be_key.id;
		out->service = READ_ONCE(fe->service);
		be_key.ordinal = next_ordinal(fe, count);
		be = bpf_map_lookup_elem(&nat_be, &be_key);
		if (!be || READ_ONCE(be->id) != be_key.id)
			goto raced;
		out->addr = be->addr;
		out->port = be->port;
		out->flags = be->flags;
		if (unchanged(key, be_key.id, count))
			return FOUND_BACKEND;
	raced:
		tally(COUNTER_LOOKUP_RACED);
	}
	return FOUND_RACED;
}

/* Whether a backend stands before (less than 0), at or behind an address and port in its set. */
static __always_inline int order(const struct nat_be *be, const struct addr *addr, __be16 port)
{
	__u64 left = addr_high(&be->addr), right = addr_high(addr);

	if (left == right) {
		left = addr_low(&be->addr);
		right = addr_low(addr);
	}
	if (left == right) {
		left = bpf_ntohs(be->port);
		right = bpf_ntohs(port);
	}
	if (left == right)
		return 0;
	return left < right ? -1 : 1;
}

/* Searches the ordinals from `low` to before `high`, which ascend by address and port. */
static __noinline bool search(__u32 set, __u32 low, __u32 high, const struct addr *addr,
			      __be16 port)
{
	struct nat_be_key key = {};
	__u32 i;

	key.id = set;
	for (i = 0; i < SEARCH_STEPS; i++) {
		const struct nat_be *be;
		int place;

		IN_REGISTER(i);
		if (low >= high)
			return false;
		key.ordinal = low + (high - low) / 2;
		be = bpf_map_lookup_elem(&nat_be, &key);
		if (!be || READ_ONCE(be->id) != set)
			return true; /* changing right now: ask again later */
		place = order(be, addr, port);
		if (!place)
			return true;
		if (place < 0)
			low = key.ordinal + 1;
		else
			high = key.ordinal;
	}
	return false;
}

/*
 * Whether the frontend still has this backend; `set` is where it was last found and becomes where
 * it was found now.
 */
static __noinline bool has_backend(const struct nat_fe_key *key, const struct addr *addr,
				   __be16 port, __u32 *set)
{
	const struct nat_fe *fe = bpf_map_lookup_elem(&nat_fe, key);
	__u32 id, count, local, terminating;

	if (!fe)
		return false;
	id = READ_ONCE(fe->id);
	count = READ_ONCE(fe->count);
	local = READ_ONCE(fe->local);
	terminating = READ_ONCE(fe->terminating);
	if (id == *set)
		return true;
	if (!count && key->proto == IPPROTO_UDP)
		return true; /* where nobody is Ready, sessions wait for who was */
	if (!search(id, 0, local, addr, port) && !search(id, local, count, addr, port) &&
	    !search(id, count, count + terminating, addr, port))
		return !unchanged(key, id, count); /* changing right now: ask again later */
	*set = id;
	return true;
}

static __always_inline void set_frontend(struct nat_fe_key *key, const struct addr *addr,
					 __be16 port, __u8 proto)
{
	key->addr = *addr;
	key->port = port;
	key->proto = proto;
	key->scope = 0;
}

/*
 * The key of the frontend that an address is, FOUND_NONE or FOUND_BACKEND. `here` says that the
 * address is the node's own whatever node_addr says (loopback of the node).
 */
static __always_inline int find_frontend(struct nat_fe_key *key, bool here)
{
	struct node_addr_key node;

	if (!here && bpf_map_lookup_elem(&nat_fe, key))
		return FOUND_BACKEND;
	node.addr = key->addr;
	addr_wildcard(&key->addr);
	if (!bpf_map_lookup_elem(&nat_fe, key))
		return FOUND_NONE;
	if (here || bpf_map_lookup_elem(&node_addr, &node))
		return FOUND_BACKEND;
	return FOUND_NONE;
}
