// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.LONG;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;

/** Map calls of libbpf's bpf.h by file descriptor; each returns 0 or a negative error number. */
final class LibbpfMaps {
  private static final SymbolLookup LIBRARY = Libbpf.quietSymbols();

  private static final MethodHandle LOOKUP =
      bind("bpf_map_lookup_elem", FunctionDescriptor.of(INT, INT, POINTER, POINTER));
  private static final MethodHandle UPDATE =
      bind("bpf_map_update_elem", FunctionDescriptor.of(INT, INT, POINTER, POINTER, LONG));
  private static final MethodHandle DELETE =
      bind("bpf_map_delete_elem", FunctionDescriptor.of(INT, INT, POINTER));
  private static final MethodHandle NEXT_KEY =
      bind("bpf_map_get_next_key", FunctionDescriptor.of(INT, INT, POINTER, POINTER));
  private static final MethodHandle UPDATE_BATCH =
      bind(
          "bpf_map_update_batch",
          FunctionDescriptor.of(INT, INT, POINTER, POINTER, POINTER, POINTER));
  private static final MethodHandle DELETE_BATCH =
      bind("bpf_map_delete_batch", FunctionDescriptor.of(INT, INT, POINTER, POINTER, POINTER));
  private static final MethodHandle LOOKUP_BATCH =
      bind(
          "bpf_map_lookup_batch",
          FunctionDescriptor.of(INT, INT, POINTER, POINTER, POINTER, POINTER, POINTER, POINTER));
  private static final MethodHandle POSSIBLE_CPUS =
      bind("libbpf_num_possible_cpus", FunctionDescriptor.of(INT));

  private LibbpfMaps() {}

  private static MethodHandle bind(String name, FunctionDescriptor type) {
    return Native.bind(LIBRARY, name, type);
  }

  static int lookup(int fd, MemorySegment key, MemorySegment value) {
    try {
      return (int) LOOKUP.invokeExact(fd, key, value);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int update(int fd, MemorySegment key, MemorySegment value, long flags) {
    try {
      return (int) UPDATE.invokeExact(fd, key, value, flags);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int delete(int fd, MemorySegment key) {
    try {
      return (int) DELETE.invokeExact(fd, key);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int nextKey(int fd, MemorySegment key, MemorySegment next) {
    try {
      return (int) NEXT_KEY.invokeExact(fd, key, next);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int updateBatch(int fd, MemorySegment keys, MemorySegment values, MemorySegment count) {
    try {
      return (int) UPDATE_BATCH.invokeExact(fd, keys, values, count, MemorySegment.NULL);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int deleteBatch(int fd, MemorySegment keys, MemorySegment count) {
    try {
      return (int) DELETE_BATCH.invokeExact(fd, keys, count, MemorySegment.NULL);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int lookupBatch(
      int fd,
      MemorySegment in,
      MemorySegment out,
      MemorySegment keys,
      MemorySegment values,
      MemorySegment count) {
    try {
      return (int) LOOKUP_BATCH.invokeExact(fd, in, out, keys, values, count, MemorySegment.NULL);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int possibleCpus() {
    try {
      return (int) POSSIBLE_CPUS.invokeExact();
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }
}
