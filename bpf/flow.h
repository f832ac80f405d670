/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* The first packet of a flow: which backend it gets, and the entries that keep it there. */
#pragma once

#include "masquerade.h"

/* How many backends are tried when the client's tuple towards one is another flow's. */
#define BACKEND_TRIES 4

enum started {
	STARTED,
	STARTED_ELSEWHERE, /* by another CPU, maybe with another backend */
	TUPLE_TAKEN,
	NO_PORT,
	CT_FULL,
};

/*
 * The stack sees the flow as client and backend, so two flows of one client port through two
 * frontends cannot share a backend. The older one has it until it is closed or over.
 */
static __noinline bool tuple_is_free(const struct packet *p, const struct ct_key *reply, __u64 now)
{
	const struct ct *old = bpf_map_lookup_elem(&ct, reply);
	struct ct_key flow;

	if (!old || (old->port == p->key.dport && addr_equal(&old->addr, &p->key.daddr)))
		return true;
	if (!(old->flags & CT_CLOSING) && !is_over(reply, old, now))
		return false;
	set_key(&flow, CT_EGRESS, reply->proto, &reply->daddr, reply->dport, &reply->saddr,
		reply->sport);
	forget_flow(&flow);
	return true;
}

/* Creates the two entries that give the flow an address of this node; `value` is overwritten. */
static __noinline int start_masquerade(struct __sk_buff *skb, const struct packet *p,
				       const struct backend *backend, struct ct *value,
				       __u32 egress)
{
	struct ct_key key;

	set_key(&key, CT_INGRESS, p->key.proto, &backend->addr, backend->port, &backend->addr, 0);
	if (!device_address(egress, p->v6, &key.daddr))
		return NO_PORT;
	value->addr = p->key.saddr;
	value->port = p->key.sport;
	value->flags = CT_MASQUERADED;
	if (!claim_port(skb, &key, value))
		return NO_PORT;
	value->addr = key.daddr;
	value->port = key.dport;
	value->flags = CT_MASQUERADED | CT_FORWARD;
	set_key(&key, CT_EGRESS, p->key.proto, &p->key.saddr, p->key.sport, &backend->addr,
		backend->port);
	if (bpf_map_update_elem(&ct, &key, value, BPF_ANY)) {
		set_key(&key, CT_INGRESS, p->key.proto, &backend->addr, backend->port, &value->addr,
			value->port);
		bpf_map_delete_elem(&ct, &key);
		return CT_FULL;
	}
	tally(COUNTER_FLOW_MASQUERADED);
	return STARTED;
}

/* A backend on another node answers past this one, and so does one behind the client's device. */
static __always_inline bool needs_masquerade(struct __sk_buff *skb, const struct backend *backend,
					     __u32 egress)
{
	return !(backend->flags & BE_LOCAL) || egress == skb->ifindex;
}

static __noinline int start_flow(struct __sk_buff *skb, const struct packet *p,
				 const struct backend *backend, __u64 now)
{
	__u32 egress = egress_device(skb, p, backend);
	bool masquerade = needs_masquerade(skb, backend, egress);
	struct scratch *memory = scratch_memory();
	struct ct_key *reply;
	struct ct *value;
	int result;

	if (!memory)
		return CT_FULL;
	value = &memory->value;
	reply = &memory->reply;
	set_key(reply, CT_EGRESS, p->key.proto, &backend->addr, backend->port, &p->key.saddr,
		p->key.sport);
	if (!tuple_is_free(p, reply, now))
		return TUPLE_TAKEN;

	value->addr = backend->addr;
	value->port = backend->port;
	value->flags = masquerade ? CT_FORWARD | CT_MASQUERADED : CT_FORWARD;
	value->service = backend->service;
	value->last_seen = now;
	value->set = backend->set;
	value->tick = bpf_jiffies64();
	if (bpf_map_update_elem(&ct, &p->key, value, BPF_NOEXIST))
		return bpf_map_lookup_elem(&ct, &p->key) ? STARTED_ELSEWHERE : CT_FULL;
	value->set = 0;
	if (masquerade) {
		result = start_masquerade(skb, p, backend, value, egress);
		if (result != STARTED)
			goto undo;
	}
	value->addr = p->key.daddr;
	value->port = p->key.dport;
	value->flags = masquerade ? CT_MASQUERADED : 0;
	if (!bpf_map_update_elem(&ct, reply, value, BPF_ANY)) {
		tally(COUNTER_FLOW_NEW);
		return STARTED;
	}
	set_key(reply, CT_EGRESS, p->key.proto, &p->key.saddr, p->key.sport, &backend->addr,
		backend->port);
	forget_flow(reply);
	result = CT_FULL;
undo:
	bpf_map_delete_elem(&ct, &p->key);
	return result;
}
