// SPDX-License-Identifier: Apache-2.0
/** The custom resources: types only, no logic. */
@NullMarked
package io.pointsman.api;

import org.jspecify.annotations.NullMarked;
