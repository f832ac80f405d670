// SPDX-License-Identifier: Apache-2.0
/** What tests of several packages share: the programs of the lab, and a real API server. */
@NullMarked
package io.pointsman.testing;

import org.jspecify.annotations.NullMarked;
