// SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later
/* A program that lets every packet by: what a test run itself costs. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int empty(struct __sk_buff *skb)
{
	return -1;
}

char LICENSE[] SEC("license") = "GPL";
