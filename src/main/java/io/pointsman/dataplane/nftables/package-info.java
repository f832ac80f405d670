// SPDX-License-Identifier: Apache-2.0
/** Reads what serves Services in nf_tables. */
@NullMarked
package io.pointsman.dataplane.nftables;

import org.jspecify.annotations.NullMarked;
