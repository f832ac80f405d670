// SPDX-License-Identifier: Apache-2.0
/** Compares what the kernel holds with what it should hold. */
@NullMarked
package io.pointsman.verify;

import org.jspecify.annotations.NullMarked;
