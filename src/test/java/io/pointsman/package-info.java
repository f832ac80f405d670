// SPDX-License-Identifier: Apache-2.0
/** Rules that hold for the sources as a whole. */
@NullMarked
package io.pointsman;

import org.jspecify.annotations.NullMarked;
