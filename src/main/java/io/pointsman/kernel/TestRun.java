// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

/**
 * What a program made of a packet in BPF_PROG_TEST_RUN.
 *
 * @param retval the program's return value; TC_ACT_UNSPEC is -1
 * @param data the packet afterwards
 * @param durationNanos the mean of the repetitions
 * @param context the socket buffer's fields afterwards; {@link SkbContext#NONE} when none was given
 */
@SuppressWarnings("ArrayRecordComponent") // a packet is its bytes; never compared as a record
public record TestRun(int retval, byte[] data, long durationNanos, SkbContext context) {}
