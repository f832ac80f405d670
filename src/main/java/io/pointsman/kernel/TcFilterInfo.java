// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * A classic tc filter with a BPF program on a device.
 *
 * @param program its id, and the name that whoever attached it gave
 */
public record TcFilterInfo(
    int ifindex, TcDirection direction, int priority, int handle, AttachedProgram program) {}
