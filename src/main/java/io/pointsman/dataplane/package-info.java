// SPDX-License-Identifier: Apache-2.0
/**
 * The contract that every dataplane fulfils, and the canonical state that all of them are compared
 * in.
 */
@NullMarked
package io.pointsman.dataplane;

import org.jspecify.annotations.NullMarked;
