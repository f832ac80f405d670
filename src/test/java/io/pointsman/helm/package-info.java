// SPDX-License-Identifier: Apache-2.0
/** Tests of the Helm chart, by Helm itself and on a real API server. */
@NullMarked
package io.pointsman.helm;

import org.jspecify.annotations.NullMarked;
