// SPDX-License-Identifier: Apache-2.0
/** What the operator does next, as pure functions: the cluster and the time go in, actions out. */
@NullMarked
package io.pointsman.operator.plan;

import org.jspecify.annotations.NullMarked;
