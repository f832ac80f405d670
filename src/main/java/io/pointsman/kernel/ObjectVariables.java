// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Sets constants of a BPF object before it is loaded; their places are read from its BTF (section
 * .rodata as a DATASEC of variables, Documentation/bpf/btf.rst).
 */
final class ObjectVariables {
  private static final SymbolLookup LIBRARY = Libbpf.quietSymbols();
  private static final MethodHandle FIND =
      Native.bind(
          LIBRARY, "btf__find_by_name_kind", FunctionDescriptor.of(INT, POINTER, POINTER, INT));
  private static final MethodHandle TYPE =
      Native.bind(LIBRARY, "btf__type_by_id", FunctionDescriptor.of(POINTER, POINTER, INT));
  private static final MethodHandle NAME =
      Native.bind(LIBRARY, "btf__name_by_offset", FunctionDescriptor.of(POINTER, POINTER, INT));

  private static final int KIND_DATASEC = 15;
  private static final int VLEN_MASK = 0xffff;
  // struct btf_type: name_off, info, size; followed by struct btf_var_secinfo: type, offset, size.
  private static final long TYPE_SIZE = 12;
  private static final long TYPE_INFO = 4;
  private static final long SECINFO_SIZE = 12;
  private static final long SECINFO_OFFSET = 4;
  private static final long SECINFO_LENGTH = 8;

  private ObjectVariables() {}

  /** Writes a constant into a .rodata map. */
  static void set(MemorySegment object, MemorySegment rodata, String name, byte[] value) {
    MemorySegment btf = LibbpfObjects.btf(object);
    MemorySegment section = section(type(btf, find(btf)));
    for (long at = TYPE_SIZE; at < section.byteSize(); at += SECINFO_SIZE) {
      MemorySegment variable = header(type(btf, section.get(ValueLayout.JAVA_INT, at)));
      if (!name.equals(name(btf, variable.get(ValueLayout.JAVA_INT, 0)))) {
        continue;
      }
      int length = section.get(ValueLayout.JAVA_INT, at + SECINFO_LENGTH);
      if (length != value.length) {
        throw new IllegalArgumentException(
            "constant %s has %d bytes, not %d".formatted(name, length, value.length));
      }
      int offset = section.get(ValueLayout.JAVA_INT, at + SECINFO_OFFSET);
      MemorySegment.copy(value, 0, data(rodata), ValueLayout.JAVA_BYTE, offset, length);
      return;
    }
    throw new IllegalArgumentException("no constant of that name in the object: " + name);
  }

  @SuppressWarnings("restricted")
  private static MemorySegment section(MemorySegment type) {
    int info = header(type).get(ValueLayout.JAVA_INT, TYPE_INFO);
    return type.reinterpret(TYPE_SIZE + (info & VLEN_MASK) * SECINFO_SIZE);
  }

  @SuppressWarnings("restricted")
  private static MemorySegment header(MemorySegment type) {
    return type.reinterpret(TYPE_SIZE);
  }

  @SuppressWarnings("restricted")
  private static MemorySegment data(MemorySegment rodata) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment data = LibbpfObjects.initialValue(rodata, size);
      return data.reinterpret(size.get(ValueLayout.JAVA_LONG, 0));
    }
  }

  private static int find(MemorySegment btf) {
    try (Arena arena = Arena.ofConfined()) {
      int id = (int) FIND.invokeExact(btf, arena.allocateFrom(".rodata"), KIND_DATASEC);
      if (id < 0) {
        throw new BpfException("find section", ".rodata", -id);
      }
      return id;
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static MemorySegment type(MemorySegment btf, int id) {
    try {
      return (MemorySegment) TYPE.invokeExact(btf, id);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static String name(MemorySegment btf, int offset) {
    try {
      return Native.string((MemorySegment) NAME.invokeExact(btf, offset));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }
}
