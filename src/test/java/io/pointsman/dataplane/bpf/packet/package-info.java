// SPDX-License-Identifier: Apache-2.0
/** Tests of the BPF programs: packets in, packets out, and real traffic through them. */
@NullMarked
package io.pointsman.dataplane.bpf.packet;

import org.jspecify.annotations.NullMarked;
