// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later
/*
 * Translates what was not balanced at a socket of this node: at ingress the destination, at egress
 * the source. What is not ours goes on to the next program and to the stack.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include "ct.h"
#include "flow.h"
#include "icmp.h"
#include "maps.h"
#include "parse.h"
#include "rewrite.h"

#define PACKET_HOST 0 /* the frame is for this host */
/* How long a flow is believed to be the stack's until the agent has asked the stack. */
#define NOTED_SECONDS 30

static __always_inline int drop(enum counter reason)
{
	tally(reason);
	return TC_ACT_SHOT;
}

static __always_inline int pass(enum counter reason)
{
	tally(reason);
	return TC_ACT_UNSPEC;
}

static __always_inline int translate(struct __sk_buff *skb, const struct packet *p,
				     struct ct *entry)
{
	struct addr addr = entry->addr;
	__be16 port = entry->port;

	track(p, entry);
	if (p->fragment == FRAGMENT_FIRST)
		remember_fragment(p);
	if (rewrite(skb, p, &addr, port, p->key.hook == CT_EGRESS))
		return TC_ACT_SHOT; /* half rewritten for want of memory */
	return TC_ACT_UNSPEC;
}

/* Gives a new flow to a backend; some other one if the client's tuple is taken at the first. */
static __noinline int serve_new(struct __sk_buff *skb, const struct packet *p,
				const struct nat_fe_key *frontend, __u64 now)
{
	struct scratch *memory = scratch_memory();
	__u32 i;

	if (!memory)
		return TC_ACT_SHOT;
	for (i = 0; i < BACKEND_TRIES; i++) {
		IN_REGISTER(i);
		switch (choose_backend(frontend, &memory->backend)) {
		case FOUND_NONE:
			return TC_ACT_UNSPEC;
		case FOUND_EMPTY:
			return reject(skb, p);
		case FOUND_RACED:
			return TC_ACT_SHOT;
		}
		switch (start_flow(skb, p, &memory->backend, now)) {
		case STARTED:
		case STARTED_ELSEWHERE:
			return TC_ACT_OK;
		case NO_PORT:
			return drop(COUNTER_DROP_NO_MASQUERADE_PORT);
		case CT_FULL:
			return drop(COUNTER_DROP_CT_FULL);
		}
	}
	return drop(COUNTER_DROP_TUPLE_TAKEN);
}

/* A packet from a client that no entry speaks of. TC_ACT_OK when it has one afterwards. */
static __noinline int first_packet(struct __sk_buff *skb, const struct packet *p)
{
	struct scratch *memory = scratch_memory();
	struct nat_fe_key *frontend;

	if (!memory || p->fragment == FRAGMENT_LATER || addr_is_any(&p->key.daddr))
		return TC_ACT_UNSPEC;
	/* A connection that began elsewhere is counted when it ends: its packets cost no lookup. */
	if (p->key.proto == IPPROTO_TCP && !is_new_connection(p) && !is_ending(p))
		return TC_ACT_UNSPEC;
	frontend = &memory->frontend;
	set_frontend(frontend, &p->key.daddr, p->key.dport, p->key.proto);
	if (find_frontend(frontend, false) == FOUND_NONE)
		return TC_ACT_UNSPEC;
	if (p->key.proto == IPPROTO_TCP && !is_new_connection(p))
		return pass(COUNTER_PASS_UNKNOWN_FLOW);
	return serve_new(skb, p, frontend, bpf_ktime_get_boot_ns());
}

/*
 * Whether the packet opens a connection past the Service, between the two ends of a flow that has
 * closed: a connection through the Service has had its entries made anew at ingress.
 */
static __always_inline bool goes_past(const struct packet *p, const struct ct *entry)
{
	return p->tcp_flags & TCP_SYN && entry->flags & CT_CLOSING;
}

/* Forgets a flow whose client began another one with its tuple. */
static __noinline void forget_client(const struct packet *p, const struct ct *entry)
{
	struct ct_key flow;

	if (!is_stacks(entry)) {
		set_key(&flow, CT_EGRESS, p->key.proto, &p->key.saddr, p->key.sport, &entry->addr,
			entry->port);
		forget_flow(&flow);
	}
	bpf_map_delete_elem(&ct, &p->key);
}

/* Notes that a flow is the stack's, for so many seconds of silence; 0 when that is done. */
static __always_inline long note(const struct ct_key *key, struct ct *value, __u16 flags,
				 __u32 seconds, __u64 how)
{
	__builtin_memset(value, 0, sizeof(*value));
	value->flags = flags;
	value->service = seconds;
	value->last_seen = bpf_ktime_get_boot_ns();
	value->tick = bpf_jiffies64();
	return bpf_map_update_elem(&ct, key, value, how);
}

/*
 * Before this dataplane serves, notes which datagrams to frontends come by: they are of flows that
 * the stack has, which the agent cannot all have seen when it does.
 */
static __noinline void note_datagram(const struct packet *p)
{
	struct ct *entry = bpf_map_lookup_elem(&ct, &p->key);
	struct scratch *memory = scratch_memory();

	if (entry) {
		track(p, entry);
		return;
	}
	if (!memory || p->key.proto != IPPROTO_UDP || p->fragment == FRAGMENT_LATER)
		return;
	set_frontend(&memory->frontend, &p->key.daddr, p->key.dport, p->key.proto);
	if (find_frontend(&memory->frontend, false) == FOUND_NONE)
		return;
	note(&p->key, &memory->value, CT_FORWARD | CT_STACK, NOTED_SECONDS, BPF_NOEXIST);
}

/* Whether the connection whose answers are noted as the stack's is over with this packet. */
static __always_inline bool ends_note(const struct packet *p, const struct ct *entry)
{
	return is_ending(p) && (entry->flags & (CT_STACK | CT_FORWARD)) == CT_STACK &&
	       (p->tcp_flags & TCP_RST || entry->flags & CT_CLOSING);
}

/*
 * Whether the stack has the packet's flow. A SYN-ACK to a masqueraded flow that has closed answers
 * a SYN that the stack has sent from the same port since.
 */
static __noinline bool leaves_to_stack(const struct packet *p, struct ct *entry)
{
	if (entry->flags & CT_STACK) {
		if (ends_note(p, entry))
			bpf_map_delete_elem(&ct, &p->key);
		else
			track(p, entry);
		return true;
	}
	if (entry->flags & CT_FORWARD || !goes_past(p, entry))
		return false;
	bpf_map_delete_elem(&ct, &p->key);
	return true;
}

static __always_inline int ingress_flow(struct __sk_buff *skb, const struct packet *p, bool active)
{
	struct ct *entry = bpf_map_lookup_elem(&ct, &p->key);
	int verdict;

	if (entry && needs_look(p, entry) && !goes_on(p, entry, active)) {
		forget_client(p, entry);
		entry = NULL;
	}
	if (!entry) {
		if (!active)
			return TC_ACT_UNSPEC;
		verdict = first_packet(skb, p);
		if (verdict != TC_ACT_OK)
			return verdict;
		entry = bpf_map_lookup_elem(&ct, &p->key);
		if (!entry)
			return drop(COUNTER_DROP_CT_FULL);
	}
	if (entry->flags & CT_HELD)
		return TC_ACT_SHOT;
	if (leaves_to_stack(p, entry))
		return TC_ACT_UNSPEC;
	return translate(skb, p, entry);
}

static __always_inline int handle_error(struct __sk_buff *skb, struct scratch *memory)
{
	return translate_error(skb, &memory->packet, &memory->quoted) ? TC_ACT_SHOT : TC_ACT_UNSPEC;
}

SEC("tc")
int ingress(struct __sk_buff *skb)
{
	const struct config *config = configuration();
	struct scratch *memory = scratch_memory();

	if (!config || !memory || skb->pkt_type != PACKET_HOST)
		return TC_ACT_UNSPEC;
	if (config->phase == PHASE_PREPARED) {
		if (parse(skb, &memory->packet, CT_INGRESS) == PARSED_FLOW)
			note_datagram(&memory->packet);
		return TC_ACT_UNSPEC;
	}
	switch (parse(skb, &memory->packet, CT_INGRESS)) {
	case PARSED_FLOW:
		return ingress_flow(skb, &memory->packet, config->phase == PHASE_ACTIVE);
	case PARSED_ICMP:
		return handle_error(skb, memory);
	case PARSED_HEADERS:
		return pass(COUNTER_PASS_HEADERS);
	case PARSED_FRAGMENT:
		return pass(COUNTER_PASS_FRAGMENT);
	case PARSED_MALFORMED:
		return drop(COUNTER_DROP_MALFORMED);
	}
	return TC_ACT_UNSPEC;
}

/* Forgets a flow whose two ends began to speak without it. */
static __noinline void forget_ends(const struct packet *p, const struct ct *entry)
{
	const struct ct_key *key = &p->key;
	struct ct_key flow = *key;

	if (!(entry->flags & CT_FORWARD))
		set_key(&flow, CT_EGRESS, key->proto, &key->daddr, key->dport, &key->saddr,
			key->sport);
	forget_flow(&flow);
}

/* The key at ingress of the answers to a packet that leaves. */
static __always_inline void set_answers(struct ct_key *reply, const struct packet *p)
{
	set_key(reply, CT_INGRESS, p->key.proto, &p->key.daddr, p->key.dport, &p->key.saddr,
		p->key.sport);
}

/*
 * Gives up the flow whose answers would come with the tuple of this packet's answers. The stack
 * translates new flows while these drain, and takes its ports for them from the same range.
 */
static __noinline void yield_tuple(const struct packet *p)
{
	struct scratch *memory = scratch_memory();
	struct ct_key reply;
	const struct ct *old;

	set_answers(&reply, p);
	old = bpf_map_lookup_elem(&ct, &reply);
	if (memory && old && !(old->flags & CT_FORWARD))
		give_up(&reply, old, &memory->flow);
}

/* Whether answers to a packet of the stack's would come with a tuple that masqueraded flows use. */
static __always_inline bool shares_ports(struct __sk_buff *skb, const struct packet *p,
					 const struct config *config)
{
	__u16 port = bpf_ntohs(p->key.sport);
	__u32 ifindex = skb->ifindex;
	const struct device *own;

	if (port < config->masquerade_low || port > config->masquerade_high)
		return false;
	/* No other device's: behind a device that has none, our own packets may come by once more.
	 */
	own = bpf_map_lookup_elem(&device, &ifindex);
	return own && addr_equal(p->v6 ? &own->v6 : &own->v4, &p->key.saddr);
}

/* Whether answers to a datagram of the stack's would look like requests to a node port. */
static __always_inline bool shares_node_port(const struct packet *p, const struct config *config,
					     struct nat_fe_key *frontend)
{
	__u16 port = bpf_ntohs(p->key.sport);

	if (p->key.proto != IPPROTO_UDP || port < config->node_port_low ||
	    port > config->node_port_high)
		return false;
	set_frontend(frontend, &p->key.saddr, p->key.sport, p->key.proto);
	return find_frontend(frontend, false) == FOUND_BACKEND;
}

/* Keeps the note for as long as the stack keeps the flow. */
static __always_inline void renew_note(struct ct *entry, const struct config *config)
{
	if (entry->flags & CT_SEEN_REPLY && !(entry->flags & CT_FORWARD) &&
	    entry->service != config->stream_timeout)
		entry->service = config->stream_timeout;
	touch(entry);
}

/* Gives a flow of the stack's a port of ours. TC_ACT_OK when it has entries afterwards. */
static __always_inline int masquerade_again(struct __sk_buff *skb, const struct packet *p,
					    struct scratch *memory)
{
	memory->backend.addr = p->key.daddr;
	memory->backend.port = p->key.dport;
	memory->value.service = 0;
	memory->value.set = 0;
	memory->value.last_seen = bpf_ktime_get_boot_ns();
	memory->value.tick = bpf_jiffies64();
	switch (start_masquerade(skb, p, &memory->backend, &memory->value, skb->ifindex)) {
	case STARTED:
		return TC_ACT_OK;
	case CT_FULL:
		return drop(COUNTER_DROP_CT_FULL);
	}
	return drop(COUNTER_DROP_NO_MASQUERADE_PORT);
}

/*
 * A packet that leaves and is none of ours. Where the stack has masqueraded it too, with an address
 * and port that we might use, its answers are noted as the stack's; where we do use them for
 * another flow to there, it gets another port as that flow goes on. Of a connection only the first
 * and the last packets matter.
 */
static __noinline int leave_from_stack(struct __sk_buff *skb, const struct packet *p)
{
	const struct config *config = configuration();
	struct scratch *memory = scratch_memory();
	struct ct_key reply;
	struct ct *old;

	if (!config || !memory || p->fragment == FRAGMENT_LATER ||
	    (p->key.proto == IPPROTO_TCP && !is_new_connection(p) && !is_ending(p)))
		return TC_ACT_UNSPEC;
	if (!shares_ports(skb, p, config) && !shares_node_port(p, config, &memory->frontend))
		return TC_ACT_UNSPEC;
	set_answers(&reply, p);
	old = bpf_map_lookup_elem(&ct, &reply);
	if (is_ending(p)) {
		if (old && ends_note(p, old))
			bpf_map_delete_elem(&ct, &reply);
		else if (old && old->flags & CT_STACK)
			old->flags |= CT_CLOSING;
		return TC_ACT_UNSPEC;
	}
	if (!old) {
		if (!note(&reply, &memory->value, CT_STACK, config->udp_timeout, BPF_NOEXIST))
			return TC_ACT_UNSPEC;
		old = bpf_map_lookup_elem(&ct, &reply); /* another CPU's, just now */
		if (!old)
			return TC_ACT_UNSPEC;
	}
	if (!(old->flags & CT_CLOSING) && !is_over(&reply, old, bpf_ktime_get_boot_ns()) &&
	    !is_bypassed(&reply, old)) {
		if (!(old->flags & (CT_FORWARD | CT_STACK)))
			return masquerade_again(skb, p, memory);
		if (old->flags & CT_STACK)
			renew_note(old, config);
		return TC_ACT_UNSPEC;
	}
	give_up(&reply, old, &memory->flow);
	note(&reply, &memory->value, CT_STACK, config->udp_timeout, BPF_ANY);
	return TC_ACT_UNSPEC;
}

static __always_inline int egress_flow(struct __sk_buff *skb, const struct packet *p, bool active)
{
	struct ct *entry = bpf_map_lookup_elem(&ct, &p->key);
	int verdict;

	if (entry && goes_past(p, entry)) {
		forget_ends(p, entry);
		entry = NULL;
	}
	if (!entry) {
		if (!active) {
			yield_tuple(p);
			return TC_ACT_UNSPEC;
		}
		verdict = leave_from_stack(skb, p);
		if (verdict != TC_ACT_OK)
			return verdict;
		entry = bpf_map_lookup_elem(&ct, &p->key);
		if (!entry)
			return drop(COUNTER_DROP_CT_FULL);
	}
	return translate(skb, p, entry);
}

/* What is wrong with a packet that leaves is for those to judge who get it; nothing is counted. */
SEC("tc")
int egress(struct __sk_buff *skb)
{
	const struct config *config = configuration();
	struct scratch *memory = scratch_memory();

	if (!config || !memory || config->phase == PHASE_PREPARED)
		return TC_ACT_UNSPEC;
	switch (parse(skb, &memory->packet, CT_EGRESS)) {
	case PARSED_FLOW:
		return egress_flow(skb, &memory->packet, config->phase == PHASE_ACTIVE);
	case PARSED_ICMP:
		return handle_error(skb, memory);
	}
	return TC_ACT_UNSPEC;
}

char LICENSE[] SEC("license") = "GPL";
