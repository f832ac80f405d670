// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later
/* Balances where a socket names its peer, and undoes it where the socket asks who its peer is. */
#include <linux/bpf.h>
#include <linux/in.h>
#include <bpf/bpf_helpers.h>
#include "addr.h"
#include "counters.h"
#include "lookup.h"
#include "maps.h"

#define SECOND	    1000000000ULL
#define STICKY_IDLE (180 * SECOND)
#define REFUSED	    111 /* ECONNREFUSED */

#define DENY  0
#define ALLOW 1

/* Set by the loader: whether the kernel lets these programs choose the error (6.1 and later). */
const volatile bool have_set_retval = false;

struct peer {
	struct addr addr;
	__be16 port;
	__u16 reserved;
};

static __always_inline int refuse(void)
{
	tally(COUNTER_SOCKET_REJECTED);
	if (have_set_retval)
		bpf_set_retval(-REFUSED);
	return DENY;
}

/* A pod's loopback is its own: node ports are found on the loopback of the node only. */
static __always_inline bool in_host_netns(struct bpf_sock_addr *ctx, const struct config *config)
{
	__u64 host = config->host_netns;

	return bpf_get_netns_cookie(ctx) == (host ? host : bpf_get_netns_cookie(NULL));
}

/* The kernel takes the unspecified address for loopback. */
static __always_inline void name_loopback(struct addr *addr)
{
	if (addr_is_any(addr))
		addr->w[3] = addr_is_v4(addr) ? bpf_htonl(0x7f000001) : bpf_htonl(1);
}

static __always_inline int frontend_of(struct bpf_sock_addr *ctx, const struct config *config,
				       const struct peer *peer, __u8 proto, struct nat_fe_key *key)
{
	bool here = addr_is_loopback(&peer->addr);

	if (here && !in_host_netns(ctx, config))
		return FOUND_NONE;
	set_frontend(key, &peer->addr, peer->port, proto);
	return find_frontend(key, here);
}

static __always_inline void sock_key(struct sock_nat_key *key, __u64 cookie,
				     const struct addr *addr, __be16 port, __u8 proto, __u8 kind)
{
	__builtin_memset(key, 0, sizeof(*key));
	key->cookie = cookie;
	key->addr = *addr;
	key->port = port;
	key->proto = proto;
	key->kind = kind;
}

/* Remembers that for this socket the backend goes by the frontend's name. */
static __always_inline void remember_peer(__u64 cookie, const struct peer *frontend,
					  const struct peer *backend, __u8 proto, __u32 service)
{
	struct sock_nat_key key;
	struct sock_nat value = {};

	sock_key(&key, cookie, &backend->addr, backend->port, proto, SOCK_PEER);
	value.addr = frontend->addr;
	value.port = frontend->port;
	value.service = service;
	bpf_map_update_elem(&sock_nat, &key, &value, BPF_ANY);
}

/* 1 lets the call go where `peer` says afterwards, 0 refuses it. */
static __noinline int connect_to(struct bpf_sock_addr *ctx, struct peer *peer, __u8 proto)
{
	const struct config *config = configuration();
	struct peer frontend = *peer;
	struct backend backend = {};
	struct nat_fe_key key;
	int found;

	if (!config || config->phase != PHASE_ACTIVE)
		return ALLOW;
	name_loopback(&frontend.addr);
	if (frontend_of(ctx, config, &frontend, proto, &key) == FOUND_NONE)
		return ALLOW;
	found = choose_backend(&key, &backend);
	if (found == FOUND_NONE)
		return ALLOW;
	if (found != FOUND_BACKEND)
		return refuse();
	peer->addr = backend.addr;
	peer->port = backend.port;
	remember_peer(bpf_get_socket_cookie(ctx), &frontend, peer, proto, backend.service);
	tally(COUNTER_SOCKET_CONNECT);
	return ALLOW;
}

/* Another CPU may have used the entry after `now` was read. */
static __always_inline __u64 idle_time(const struct sock_nat *entry, __u64 now)
{
	__u64 last = READ_ONCE(entry->last_seen);

	return now > last ? now - last : 0;
}

/* The backend that the socket's datagrams to this frontend went to, if they still may. */
static __always_inline bool sticky_backend(const struct sock_nat_key *sticky,
					   const struct nat_fe_key *key, struct peer *peer,
					   const struct peer *frontend)
{
	struct sock_nat *old = bpf_map_lookup_elem(&sock_nat, sticky);
	__u64 now = bpf_ktime_get_boot_ns();
	__u32 set;

	if (!old || idle_time(old, now) > STICKY_IDLE)
		return false;
	set = old->set;
	if (key && !has_backend(key, &old->addr, old->port, &set))
		return false;
	peer->addr = old->addr;
	peer->port = old->port;
	if (set != old->set)
		old->set = set;
	if (idle_time(old, now) > SECOND) {
		old->last_seen = now;
		remember_peer(sticky->cookie, frontend, peer, sticky->proto, old->service);
	}
	return true;
}

/*
 * Whether the socket's datagrams to this frontend are a flow that the stack had before this
 * dataplane served. They then go out as they are: from a pod they pass its device, where they are
 * translated whoever has the flow.
 */
static __noinline bool stack_serves(struct bpf_sock_addr *ctx, const struct config *config,
				    const struct peer *frontend)
{
	struct bpf_sock *sock = ctx->sk;
	struct ct_key key = {};
	struct ct *entry;
	__u64 now;

	if (!sock)
		return false;
	key.saddr.w[3] = in_host_netns(ctx, config) ? bpf_htonl(1) : 0;
	key.daddr = frontend->addr;
	key.sport = bpf_htons(sock->src_port);
	key.dport = frontend->port;
	key.proto = IPPROTO_UDP;
	key.hook = CT_SOCKET;
	entry = bpf_map_lookup_elem(&ct, &key);
	if (!entry)
		return false;
	now = bpf_ktime_get_boot_ns();
	if (now > entry->last_seen && now - entry->last_seen > entry->service * SECOND) {
		bpf_map_delete_elem(&ct, &key);
		return false;
	}
	entry->last_seen = now;
	return true;
}

static __noinline int send_to(struct bpf_sock_addr *ctx, struct peer *peer, __u8 proto)
{
	const struct config *config = configuration();
	struct peer frontend = *peer;
	struct backend backend = {};
	struct sock_nat value = {};
	struct sock_nat_key sticky;
	struct nat_fe_key key;
	int found;

	if (!config || config->phase == PHASE_PREPARED)
		return ALLOW;
	name_loopback(&frontend.addr);
	if (config->phase == PHASE_ACTIVE &&
	    frontend_of(ctx, config, &frontend, proto, &key) == FOUND_NONE)
		return ALLOW;
	sock_key(&sticky, bpf_get_socket_cookie(ctx), &frontend.addr, frontend.port, proto,
		 SOCK_STICKY);
	if (config->phase != PHASE_ACTIVE) {
		sticky_backend(&sticky, NULL, peer, &frontend);
		return ALLOW;
	}
	if (sticky_backend(&sticky, &key, peer, &frontend))
		return ALLOW;
	if (stack_serves(ctx, config, &frontend))
		return ALLOW;
	found = choose_backend(&key, &backend);
	if (found == FOUND_NONE)
		return ALLOW;
	if (found != FOUND_BACKEND)
		return refuse();
	peer->addr = backend.addr;
	peer->port = backend.port;
	remember_peer(sticky.cookie, &frontend, peer, proto, backend.service);
	value.addr = backend.addr;
	value.port = backend.port;
	value.service = backend.service;
	value.set = backend.set;
	value.last_seen = bpf_ktime_get_boot_ns();
	bpf_map_update_elem(&sock_nat, &sticky, &value, BPF_ANY);
	tally(COUNTER_SOCKET_SENDMSG);
	return ALLOW;
}

/* Whether the socket knows this peer by another name, which `peer` then is. */
static __always_inline bool name_peer(struct bpf_sock_addr *ctx, struct peer *peer)
{
	const struct sock_nat *value;
	struct sock_nat_key key;

	sock_key(&key, bpf_get_socket_cookie(ctx), &peer->addr, peer->port, ctx->protocol,
		 SOCK_PEER);
	value = bpf_map_lookup_elem(&sock_nat, &key);
	if (!value)
		return false;
	peer->addr = value->addr;
	peer->port = value->port;
	return true;
}

static __always_inline bool is_balanced(struct bpf_sock_addr *ctx)
{
	return ctx->protocol == IPPROTO_TCP || ctx->protocol == IPPROTO_UDP;
}

static __always_inline void read_v4(struct bpf_sock_addr *ctx, struct peer *peer)
{
	addr_set_v4(&peer->addr, ctx->user_ip4);
	peer->port = ctx->user_port;
	peer->reserved = 0;
}

static __always_inline void write_v4(struct bpf_sock_addr *ctx, const struct peer *peer)
{
	ctx->user_ip4 = peer->addr.w[3];
	ctx->user_port = peer->port;
}

static __always_inline void read_v6(struct bpf_sock_addr *ctx, struct peer *peer)
{
	peer->addr.w[0] = ctx->user_ip6[0];
	peer->addr.w[1] = ctx->user_ip6[1];
	peer->addr.w[2] = ctx->user_ip6[2];
	peer->addr.w[3] = ctx->user_ip6[3];
	peer->port = ctx->user_port;
	peer->reserved = 0;
}

static __always_inline void write_v6(struct bpf_sock_addr *ctx, const struct peer *peer)
{
	ctx->user_ip6[0] = peer->addr.w[0];
	ctx->user_ip6[1] = peer->addr.w[1];
	ctx->user_ip6[2] = peer->addr.w[2];
	ctx->user_ip6[3] = peer->addr.w[3];
	ctx->user_port = peer->port;
}

#define BALANCE(name, family, balance)                                                             \
	SEC("cgroup/" #name)                                                                       \
	int name(struct bpf_sock_addr *ctx)                                                        \
	{                                                                                          \
		struct peer peer;                                                                  \
                                                                                                   \
		if (!is_balanced(ctx))                                                             \
			return ALLOW;                                                              \
		read_##family(ctx, &peer);                                                         \
		if (balance(ctx, &peer, ctx->protocol) != ALLOW)                                   \
			return DENY;                                                               \
		write_##family(ctx, &peer);                                                        \
		return ALLOW;                                                                      \
	}

#define UNDO(name, family)                                                                         \
	SEC("cgroup/" #name)                                                                       \
	int name(struct bpf_sock_addr *ctx)                                                        \
	{                                                                                          \
		struct peer peer;                                                                  \
                                                                                                   \
		if (!is_balanced(ctx))                                                             \
			return ALLOW;                                                              \
		read_##family(ctx, &peer);                                                         \
		if (name_peer(ctx, &peer))                                                         \
			write_##family(ctx, &peer);                                                \
		return ALLOW;                                                                      \
	}

BALANCE(connect4, v4, connect_to)
BALANCE(connect6, v6, connect_to)
BALANCE(sendmsg4, v4, send_to)
BALANCE(sendmsg6, v6, send_to)
UNDO(recvmsg4, v4)
UNDO(recvmsg6, v6)
UNDO(getpeername4, v4)
UNDO(getpeername6, v6)

char LICENSE[] SEC("license") = "GPL";
