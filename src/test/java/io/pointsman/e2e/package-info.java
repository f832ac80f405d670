// SPDX-License-Identifier: Apache-2.0
/** The product on a real cluster: installed by its chart, switched under load. */
@NullMarked
package io.pointsman.e2e;

import org.jspecify.annotations.NullMarked;
