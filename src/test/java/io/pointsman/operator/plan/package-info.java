// SPDX-License-Identifier: Apache-2.0
@NullMarked
package io.pointsman.operator.plan;

import org.jspecify.annotations.NullMarked;
