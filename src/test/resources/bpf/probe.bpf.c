/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* Small programs and maps that the tests of the kernel bindings load. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct value {
	__u64 a;
	__u32 b;
	__u32 c;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1000);
	__type(key, __u64);
	__type(value, struct value);
} a_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} a_counter SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 100);
	__type(key, __u64);
	__type(value, __u32);
} a_trie SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 8 * sizeof(__u64));
} without_batch SEC(".maps");

const volatile __u32 verdict = 0;

SEC("tc")
int classify(struct __sk_buff *skb)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&a_counter, &zero);

	if (count)
		(*count)++;
	skb->mark = skb->ingress_ifindex + 1000;
	return verdict;
}

SEC("tc")
int classify_other(struct __sk_buff *skb)
{
	return 7;
}

SEC("tc")
int refused(struct __sk_buff *skb)
{
	__u64 key = 1;
	struct value *value = bpf_map_lookup_elem(&a_hash, &key);

	return value->b;
}

SEC("cgroup/connect4")
int connect(struct bpf_sock_addr *ctx)
{
	return 1;
}

SEC("cgroup/connect4")
int connect_refuses(struct bpf_sock_addr *ctx)
{
	return 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
