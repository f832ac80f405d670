/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-or-later */
/* Counting; never on the path of a packet whose flow is known. */
#pragma once

#include "maps.h"

static __always_inline void tally(enum counter which)
{
	__u32 index = which;
	__u64 *value = bpf_map_lookup_elem(&counters, &index);

	if (value)
		*value += 1;
}
