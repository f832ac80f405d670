// SPDX-License-Identifier: Apache-2.0
/** The operator: plans the rollout and hands kube-proxy over. */
@NullMarked
package io.pointsman.operator;

import org.jspecify.annotations.NullMarked;
