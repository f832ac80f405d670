/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* The entries of a flow, which come in pairs: one at ingress, one at egress. */
#pragma once

#include "lookup.h"
#include "parse.h"

#define SECOND		1000000000ULL
#define IDLE_UDP	(180 * SECOND)	/* a UDP flow is over */
#define IDLE_NEW	(120 * SECOND)	/* a SYN is no retransmission */
#define IDLE_CLOSED	(60 * SECOND)	/* a closed TCP connection has left TIME_WAIT */
#define IDLE_CONNECTION (7440 * SECOND) /* RFC 5382: no connection is forgotten before */

/* Jiffies that are at most a second however often the kernel ticks (100 to 1000 times). */
#define RECENT_TICKS 100

/* Whether the entry was looked at closely a moment ago; far cheaper than the time. */
static __always_inline bool is_recent(const struct ct *entry)
{
	return (__u32)bpf_jiffies64() - entry->tick < RECENT_TICKS;
}

/* How long ago an entry was used; another CPU may have used it after `now` was read. */
static __always_inline __u64 idle_time(const struct ct *entry, __u64 now)
{
	__u64 last = READ_ONCE(entry->last_seen);

	return now > last ? now - last : 0;
}

static __always_inline void set_key(struct ct_key *key, __u8 hook, __u8 proto,
				    const struct addr *saddr, __be16 sport,
				    const struct addr *daddr, __be16 dport)
{
	key->saddr = *saddr;
	key->daddr = *daddr;
	key->sport = sport;
	key->dport = dport;
	key->proto = proto;
	key->hook = hook;
	key->pad = 0;
}

/* The entry that sees the other direction of what this one translates. */
static __always_inline struct ct *find_pair(const struct ct_key *key, const struct ct *entry)
{
	struct ct_key pair;

	if (key->hook == CT_INGRESS)
		set_key(&pair, CT_EGRESS, key->proto, &entry->addr, entry->port, &key->saddr,
			key->sport);
	else
		set_key(&pair, CT_INGRESS, key->proto, &key->daddr, key->dport, &entry->addr,
			entry->port);
	return bpf_map_lookup_elem(&ct, &pair);
}

/* Takes away all entries of the flow from client to backend. */
static __noinline void forget_flow(const struct ct_key *flow)
{
	struct scratch *memory = scratch_memory();
	const struct ct *entry;
	struct ct_key key;

	if (!memory)
		return;
	set_key(&key, CT_EGRESS, flow->proto, &flow->daddr, flow->dport, &flow->saddr, flow->sport);
	entry = bpf_map_lookup_elem(&ct, &key);
	if (entry) {
		set_key(&memory->pair, CT_INGRESS, flow->proto, &flow->saddr, flow->sport,
			&entry->addr, entry->port);
		bpf_map_delete_elem(&ct, &key);
		bpf_map_delete_elem(&ct, &memory->pair);
	}
	set_key(&key, CT_EGRESS, flow->proto, &flow->saddr, flow->sport, &flow->daddr, flow->dport);
	entry = bpf_map_lookup_elem(&ct, &key);
	if (entry) {
		set_key(&memory->pair, CT_INGRESS, flow->proto, &flow->daddr, flow->dport,
			&entry->addr, entry->port);
		bpf_map_delete_elem(&ct, &key);
		bpf_map_delete_elem(&ct, &memory->pair);
	}
}

/* Whether nobody can still be using the entry's flow; datagrams may go one way only. */
static __noinline bool is_over(const struct ct_key *key, const struct ct *entry, __u64 now)
{
	__u64 idle = idle_time(entry, now);
	const struct ct *pair;

	if (key->proto == IPPROTO_UDP) {
		if (entry->flags & CT_STACK)
			return idle > entry->service * SECOND;
		if (idle <= IDLE_UDP)
			return false;
		pair = find_pair(key, entry);
		return !pair || idle_time(pair, now) > IDLE_UDP;
	}
	if (entry->flags & CT_CLOSING)
		return idle > IDLE_CLOSED;
	if (!(entry->flags & (CT_SEEN_REPLY | CT_FORWARD)))
		return idle > IDLE_NEW;
	return idle > IDLE_CONNECTION;
}

/*
 * Whether the flow of a reply's entry has had its end as far as one can see: a connection that was
 * closed, or a question that was answered at once, after which nothing came.
 */
static __noinline bool is_done(const struct ct_key *key, const struct ct *entry)
{
	const struct ct *pair;

	if (key->proto != IPPROTO_UDP)
		return entry->flags & CT_CLOSING;
	if (!(entry->flags & CT_SEEN_REPLY))
		return false;
	pair = find_pair(key, entry);
	return pair && READ_ONCE(pair->last_seen) == READ_ONCE(entry->last_seen);
}

/*
 * Whether the flow of a reply's entry is answered past it: the stack has masqueraded it, too, with
 * another port, as some CNIs have it, and the entry's is not used.
 */
static __noinline bool is_bypassed(const struct ct_key *reply, const struct ct *entry)
{
	const struct ct *answers;
	struct ct_key key;

	if (entry->flags & (CT_SEEN_REPLY | CT_STACK | CT_FORWARD))
		return false;
	set_key(&key, CT_EGRESS, reply->proto, &reply->saddr, reply->sport, &entry->addr,
		entry->port);
	answers = bpf_map_lookup_elem(&ct, &key);
	return answers && answers->flags & CT_SEEN_REPLY;
}

/* Gives up the port of a reply's entry, and with it the flow, unless that goes on without it. */
static __always_inline void give_up(const struct ct_key *reply, const struct ct *entry,
				    struct ct_key *flow)
{
	bool bypassed = is_bypassed(reply, entry);
	const struct ct *source;

	set_key(flow, CT_EGRESS, reply->proto, &entry->addr, entry->port, &reply->saddr,
		reply->sport);
	source = bpf_map_lookup_elem(&ct, flow);
	if (source && (source->port != reply->dport || !addr_equal(&source->addr, &reply->daddr))) {
		bpf_map_delete_elem(&ct, reply); /* the flow began anew, with another port */
	} else if (bypassed) {
		bpf_map_delete_elem(&ct, flow);
		bpf_map_delete_elem(&ct, reply);
	} else {
		forget_flow(flow);
	}
}

/* Whether the packet's flow is left to the stack, or waits until it is. */
static __always_inline bool is_stacks(const struct ct *entry)
{
	return entry->flags & (CT_STACK | CT_HELD);
}

/* Whether the entry's backend still serves the frontend that the packet names. */
static __noinline bool still_serves(const struct packet *p, struct ct *entry)
{
	__u32 set = entry->set;
	struct nat_fe_key key;

	set_frontend(&key, &p->key.daddr, p->key.dport, p->key.proto);
	if (find_frontend(&key, false) == FOUND_NONE ||
	    !has_backend(&key, &entry->addr, entry->port, &set))
		return false;
	if (set != entry->set)
		entry->set = set;
	return true;
}

/*
 * Whether a packet from the client goes on with the flow that has its tuple. A SYN may be the first
 * packet of another connection, a datagram may come after its flow is over; both, and datagrams
 * once a second, hold the flow against its Service, so that none stays with a backend that left.
 */
static __noinline bool goes_on(const struct packet *p, struct ct *entry, bool active)
{
	__u64 now = bpf_ktime_get_boot_ns();

	if (p->key.proto == IPPROTO_TCP) {
		if (entry->flags & CT_CLOSING || idle_time(entry, now) > IDLE_NEW)
			return false;
		return !active || still_serves(p, entry);
	}

	if (is_over(&p->key, entry, now))
		return false;
	if (entry->flags & CT_STACK && addr_is_zero(&entry->addr))
		return true; /* nobody told the backend */
	return !active || still_serves(p, entry);
}

/* Whether goes_on has to be asked: of the client's packets and the stack's datagrams, and rarely.
 */
static __always_inline bool needs_look(const struct packet *p, const struct ct *entry)
{
	if (!(entry->flags & (CT_FORWARD | CT_STACK)) || p->fragment == FRAGMENT_LATER)
		return false;
	if (p->key.proto == IPPROTO_TCP)
		return entry->flags & CT_FORWARD && is_new_connection(p);
	return !is_recent(entry);
}

static __noinline void close_flow(const struct packet *p, struct ct *entry)
{
	struct ct *pair = find_pair(&p->key, entry);

	entry->flags |= CT_CLOSING;
	if (pair && !is_stacks(entry))
		pair->flags |= CT_CLOSING;
}

/* Notes when the entry was used, once a second. */
static __always_inline void touch(struct ct *entry)
{
	if (!is_recent(entry)) {
		entry->last_seen = bpf_ktime_get_boot_ns();
		entry->tick = bpf_jiffies64();
	}
}

/* Notes that a packet came by; writes only what changes. */
static __always_inline void track(const struct packet *p, struct ct *entry)
{
	touch(entry);
	if (!(entry->flags & (CT_FORWARD | CT_SEEN_REPLY)))
		entry->flags |= CT_SEEN_REPLY;
	if (is_ending(p) && !(entry->flags & CT_CLOSING))
		close_flow(p, entry);
}
