// SPDX-License-Identifier: Apache-2.0
/**
 * Services and EndpointSlices as frontends and backends; every rule of kube-proxy lives here, pure.
 */
@NullMarked
package io.pointsman.catalogue;

import org.jspecify.annotations.NullMarked;
