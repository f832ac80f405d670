// SPDX-License-Identifier: Apache-2.0
/** Services by netfilter rules in kube-proxy's own chains, changed by iptables-restore (ADR 3). */
@NullMarked
package io.pointsman.dataplane.iptables;

import org.jspecify.annotations.NullMarked;
