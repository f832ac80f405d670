/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* From a frontend to one of its backends, while the agent may be changing both. */
#pragma once

#include "addr.h"
#include "counters.h"

/* How often a lookup that raced with a change of its Service starts again. */
#define LOOKUP_TRIES 16
/* How many backends are searched for the one that a flow has; a larger set may move idle flows. */
#define SEARCH_BACKENDS 256

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

/*
 * Whether the frontend still has this backend; `set` is where it was last found and becomes where
 * it was found now.
 */
static __noinline bool has_backend(const struct nat_fe_key *key, const struct addr *addr,
				   __be16 port, __u32 *set)
{
	const struct nat_fe *fe = bpf_map_lookup_elem(&nat_fe, key);
	struct nat_be_key be_key = {};
	__u32 count, i;

	if (!fe)
		return false;
	be_key.id = READ_ONCE(fe->id);
	count = READ_ONCE(fe->count);
	if (be_key.id == *set)
		return true;
	for (i = 0; i < SEARCH_BACKENDS; i++) {
		const struct nat_be *be;

		IN_REGISTER(i);
		if (i >= count)
			return false;
		be_key.ordinal = i;
		be = bpf_map_lookup_elem(&nat_be, &be_key);
		if (!be)
			return true; /* changing right now: ask again later */
		if (be->port == port && addr_equal(&be->addr, addr)) {
			*set = be_key.id;
			return true;
		}
	}
	return false;
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
