// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

/**
 * What a dataplane would do to the kernel as it is, to serve a desired state.
 *
 * @param written entries that it needs and the kernel lacks: rules, set members, addresses, virtual
 *     and real servers, or map entries
 * @param deleted entries among its own that would go
 * @param memoryBytes kernel memory that it takes when it serves, as estimated
 */
public record PlannedWrites(long written, long deleted, long memoryBytes) {}
