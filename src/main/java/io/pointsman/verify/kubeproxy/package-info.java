// SPDX-License-Identifier: Apache-2.0
/** Proves of a kube-proxy that its rules in the kernel serve exactly the cluster's Services. */
@NullMarked
package io.pointsman.verify.kubeproxy;

import org.jspecify.annotations.NullMarked;
