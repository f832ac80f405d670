/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* The maps that all programs share. The sizes here are small; the loader sets the real ones. */
#pragma once

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include "layout.h"

/* A hash is not preallocated: it may be sized for the largest cluster and cost what is in it. */
#define SHARED_HASH(name, key_type, value_type, entries)                                           \
	struct {                                                                                   \
		__uint(type, BPF_MAP_TYPE_HASH);                                                   \
		__uint(max_entries, entries);                                                      \
		__uint(map_flags, BPF_F_NO_PREALLOC);                                              \
		__uint(pinning, LIBBPF_PIN_BY_NAME);                                               \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

#define SHARED_MAP(name, map_type, key_type, value_type, entries)                                  \
	struct {                                                                                   \
		__uint(type, map_type);                                                            \
		__uint(max_entries, entries);                                                      \
		__uint(pinning, LIBBPF_PIN_BY_NAME);                                               \
		__type(key, key_type);                                                             \
		__type(value, value_type);                                                         \
	} name SEC(".maps")

SHARED_HASH(nat_fe, struct nat_fe_key, struct nat_fe, 16384);
SHARED_HASH(nat_be, struct nat_be_key, struct nat_be, 65536);
SHARED_HASH(node_addr, struct node_addr_key, __u32, 256);
SHARED_HASH(device, __u32, struct device, 4096);
SHARED_MAP(ct, BPF_MAP_TYPE_LRU_HASH, struct ct_key, struct ct, 65536);
SHARED_MAP(frag, BPF_MAP_TYPE_LRU_HASH, struct frag_key, struct frag, 8192);
SHARED_MAP(sock_nat, BPF_MAP_TYPE_LRU_HASH, struct sock_nat_key, struct sock_nat, 65536);
SHARED_MAP(affinity, BPF_MAP_TYPE_LRU_HASH, struct affinity_key, struct affinity, 1024);
SHARED_MAP(config, BPF_MAP_TYPE_ARRAY, __u32, struct config, 1);
SHARED_MAP(counters, BPF_MAP_TYPE_PERCPU_ARRAY, __u32, __u64, COUNTER_MAX);

static __always_inline const struct config *configuration(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&config, &zero);
}
