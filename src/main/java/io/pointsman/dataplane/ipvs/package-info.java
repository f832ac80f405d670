// SPDX-License-Identifier: Apache-2.0
/**
 * Services by virtual servers of ip_vs, with the ipsets and rules that kube-proxy has beside it.
 */
@NullMarked
package io.pointsman.dataplane.ipvs;

import org.jspecify.annotations.NullMarked;
