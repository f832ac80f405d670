/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* Addresses: 16 bytes, IPv4 as ::ffff:a.b.c.d. */
#pragma once

#include <stdbool.h>
#include <bpf/bpf_endian.h>
#include "layout.h"

#define V4_MAPPED bpf_htonl(0xffff)

static __always_inline bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->w[3] == b->w[3] && a->w[2] == b->w[2] && a->w[1] == b->w[1] && a->w[0] == b->w[0];
}

static __always_inline void addr_set_v4(struct addr *a, __be32 v4)
{
	a->w[0] = 0;
	a->w[1] = 0;
	a->w[2] = V4_MAPPED;
	a->w[3] = v4;
}

static __always_inline bool addr_is_v4(const struct addr *a)
{
	return !a->w[0] && !a->w[1] && a->w[2] == V4_MAPPED;
}

/* The two halves of an address as numbers whose order is that of the addresses. */
static __always_inline __u64 addr_high(const struct addr *a)
{
	return (__u64)bpf_ntohl(a->w[0]) << 32 | bpf_ntohl(a->w[1]);
}

static __always_inline __u64 addr_low(const struct addr *a)
{
	return (__u64)bpf_ntohl(a->w[2]) << 32 | bpf_ntohl(a->w[3]);
}

/* 0.0.0.0 or :: */
static __always_inline bool addr_is_any(const struct addr *a)
{
	return !a->w[0] && !a->w[1] && !a->w[3] && (!a->w[2] || a->w[2] == V4_MAPPED);
}

static __always_inline bool addr_is_zero(const struct addr *a)
{
	return !a->w[0] && !a->w[1] && !a->w[2] && !a->w[3];
}

/* 127.0.0.0/8 or ::1 */
static __always_inline bool addr_is_loopback(const struct addr *a)
{
	if (addr_is_v4(a))
		return (a->w[3] & bpf_htonl(0xff000000)) == bpf_htonl(0x7f000000);
	return !a->w[0] && !a->w[1] && !a->w[2] && a->w[3] == bpf_htonl(1);
}

/* The wildcard of the family that an address is of: node ports stand under it. */
static __always_inline void addr_wildcard(struct addr *a)
{
	if (!addr_is_v4(a))
		a->w[2] = 0;
	a->w[0] = 0;
	a->w[1] = 0;
	a->w[3] = 0;
}
