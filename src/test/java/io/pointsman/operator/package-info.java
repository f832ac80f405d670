// SPDX-License-Identifier: Apache-2.0
@NullMarked
package io.pointsman.operator;

import org.jspecify.annotations.NullMarked;
