// SPDX-License-Identifier: Apache-2.0
/** The BPF dataplane: connect-time balancing for sockets, tc for everything that is forwarded. */
@NullMarked
package io.pointsman.dataplane.bpf;

import org.jspecify.annotations.NullMarked;
