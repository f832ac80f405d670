// SPDX-License-Identifier: Apache-2.0
/** All places of the kernel that a kube-proxy may serve from. */
@NullMarked
package io.pointsman.dataplane.kubeproxy.places;

import org.jspecify.annotations.NullMarked;
