// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * Writes netlink messages and their attributes one behind the other (netlink(7)): headers and
 * numbers in the machine's order, all of it aligned to four bytes.
 */
final class NetlinkWriter {
  private static final int NESTED = 0x8000;
  private static final int ATTRIBUTE_HEADER = 4;
  private static final ValueLayout.OfShort NETWORK_SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private final MemorySegment buffer;
  private long position;

  NetlinkWriter(MemorySegment buffer) {
    this.buffer = buffer;
  }

  long size() {
    return position;
  }

  /** What was written since the last {@link #clear}. */
  MemorySegment written() {
    return buffer.asSlice(0, position);
  }

  void clear() {
    position = 0;
  }

  /** Starts a message; returns where it starts. */
  long begin(int type, int flags, int sequence) {
    long at = position;
    buffer.set(ValueLayout.JAVA_INT, at, 0);
    buffer.set(ValueLayout.JAVA_SHORT, at + 4, (short) type);
    buffer.set(ValueLayout.JAVA_SHORT, at + 6, (short) flags);
    buffer.set(ValueLayout.JAVA_INT, at + 8, sequence);
    buffer.set(ValueLayout.JAVA_INT, at + 12, 0);
    position += NetlinkSocket.HEADER;
    return at;
  }

  /** Ends the message that starts there. */
  void end(long at) {
    buffer.set(ValueLayout.JAVA_INT, at, (int) (position - at));
  }

  /** Adds flags to a message that is already written. */
  void addFlags(long at, int flags) {
    int before = buffer.get(ValueLayout.JAVA_SHORT, at + 6);
    buffer.set(ValueLayout.JAVA_SHORT, at + 6, (short) (before | flags));
  }

  void putByte(int value) {
    buffer.set(ValueLayout.JAVA_BYTE, position, (byte) value);
    position++;
  }

  void putShort(int value) {
    buffer.set(ValueLayout.JAVA_SHORT, position, (short) value);
    position += Short.BYTES;
  }

  void putInt(int value) {
    buffer.set(ValueLayout.JAVA_INT, position, value);
    position += Integer.BYTES;
  }

  /** Starts an attribute that holds attributes; returns where it starts. */
  long beginNested(int type) {
    long at = position;
    header(0, type | NESTED);
    return at;
  }

  /** Ends the nested attribute that starts there. */
  void endNested(long at) {
    buffer.set(ValueLayout.JAVA_SHORT, at, (short) (position - at));
  }

  void attribute(int type, byte[] value) {
    header(value.length, type);
    MemorySegment.copy(value, 0, buffer, ValueLayout.JAVA_BYTE, position, value.length);
    pad(value.length);
  }

  /** A string with the zero byte behind it. */
  void attribute(int type, String value) {
    byte[] text = value.getBytes(StandardCharsets.UTF_8);
    header(text.length + 1, type);
    MemorySegment.copy(text, 0, buffer, ValueLayout.JAVA_BYTE, position, text.length);
    buffer.set(ValueLayout.JAVA_BYTE, position + text.length, (byte) 0);
    pad(text.length + 1);
  }

  void attributeInt(int type, int value) {
    header(Integer.BYTES, type);
    putInt(value);
  }

  void attributeShort(int type, int value) {
    header(Short.BYTES, type);
    buffer.set(ValueLayout.JAVA_SHORT, position, (short) value);
    pad(Short.BYTES);
  }

  /** A port as it stands in packets. */
  void attributePort(int type, int value) {
    header(Short.BYTES, type);
    buffer.set(NETWORK_SHORT, position, (short) value);
    pad(Short.BYTES);
  }

  private void header(int length, int type) {
    putShort(length + ATTRIBUTE_HEADER);
    putShort(type);
  }

  private void pad(int length) {
    long end = position + NetlinkSocket.align(length);
    for (long at = position + length; at < end; at++) {
      buffer.set(ValueLayout.JAVA_BYTE, at, (byte) 0);
    }
    position = end;
  }
}
