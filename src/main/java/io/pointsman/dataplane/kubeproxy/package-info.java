// SPDX-License-Identifier: Apache-2.0
/** What a kube-proxy has in the kernel, in one form for all of its modes. */
@NullMarked
package io.pointsman.dataplane.kubeproxy;

import org.jspecify.annotations.NullMarked;
