// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.LONG;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** Calls of libbpf.h on objects, their maps and programs before and while they are loaded. */
final class LibbpfObjects {
  private static final SymbolLookup LIBRARY = Libbpf.quietSymbols();
  private static final FunctionDescriptor NEXT = FunctionDescriptor.of(POINTER, POINTER, POINTER);
  private static final FunctionDescriptor NAME = FunctionDescriptor.of(POINTER, POINTER);
  private static final FunctionDescriptor GET_INT = FunctionDescriptor.of(INT, POINTER);
  private static final FunctionDescriptor SET_INT = FunctionDescriptor.of(INT, POINTER, INT);

  private static final MethodHandle OPEN =
      Native.bindErrno(
          LIBRARY, "bpf_object__open_mem", FunctionDescriptor.of(POINTER, POINTER, LONG, POINTER));
  private static final MethodHandle LOAD = bind("bpf_object__load", GET_INT);
  private static final MethodHandle CLOSE =
      bind("bpf_object__close", FunctionDescriptor.ofVoid(POINTER));
  private static final MethodHandle NEXT_MAP = bind("bpf_object__next_map", NEXT);
  private static final MethodHandle NEXT_PROGRAM = bind("bpf_object__next_program", NEXT);
  private static final MethodHandle MAP_NAME = bind("bpf_map__name", NAME);
  private static final MethodHandle PROGRAM_NAME = bind("bpf_program__name", NAME);
  private static final MethodHandle MAP_TYPE = bind("bpf_map__type", GET_INT);
  private static final MethodHandle MAP_KEY_SIZE = bind("bpf_map__key_size", GET_INT);
  private static final MethodHandle MAP_VALUE_SIZE = bind("bpf_map__value_size", GET_INT);
  private static final MethodHandle MAP_MAX_ENTRIES = bind("bpf_map__max_entries", GET_INT);
  private static final MethodHandle MAP_FLAGS = bind("bpf_map__map_flags", GET_INT);
  private static final MethodHandle MAP_FD = bind("bpf_map__fd", GET_INT);
  private static final MethodHandle MAP_INTERNAL =
      bind("bpf_map__is_internal", FunctionDescriptor.of(ValueLayout.JAVA_BOOLEAN, POINTER));
  private static final MethodHandle MAP_SET_MAX = bind("bpf_map__set_max_entries", SET_INT);
  private static final MethodHandle MAP_REUSE = bind("bpf_map__reuse_fd", SET_INT);
  private static final MethodHandle MAP_SET_PIN =
      bind("bpf_map__set_pin_path", FunctionDescriptor.of(INT, POINTER, POINTER));
  private static final MethodHandle MAP_INITIAL =
      bind("bpf_map__initial_value", FunctionDescriptor.of(POINTER, POINTER, POINTER));
  private static final MethodHandle PROGRAM_FD = bind("bpf_program__fd", GET_INT);
  private static final MethodHandle PROGRAM_ATTACH_TYPE =
      bind("bpf_program__expected_attach_type", GET_INT);
  private static final MethodHandle PROGRAM_AUTOLOAD =
      bind(
          "bpf_program__set_autoload",
          FunctionDescriptor.of(INT, POINTER, ValueLayout.JAVA_BOOLEAN));
  private static final MethodHandle PROGRAM_SET_FLAGS = bind("bpf_program__set_flags", SET_INT);
  private static final MethodHandle BTF =
      bind("bpf_object__btf", FunctionDescriptor.of(POINTER, POINTER));

  private LibbpfObjects() {}

  private static MethodHandle bind(String name, FunctionDescriptor type) {
    return Native.bind(LIBRARY, name, type);
  }

  /** The object, or NULL with {@link Native#errno()} set. */
  static MemorySegment open(MemorySegment elf, long size, MemorySegment options) {
    try {
      return (MemorySegment) OPEN.invokeExact(Native.capture(), elf, size, options);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int load(MemorySegment object) {
    return number(LOAD, object);
  }

  static void close(MemorySegment object) {
    try {
      CLOSE.invokeExact(object);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static MemorySegment nextMap(MemorySegment object, MemorySegment map) {
    return next(NEXT_MAP, object, map);
  }

  static MemorySegment nextProgram(MemorySegment object, MemorySegment program) {
    return next(NEXT_PROGRAM, object, program);
  }

  static String mapName(MemorySegment map) {
    return name(MAP_NAME, map);
  }

  static String programName(MemorySegment program) {
    return name(PROGRAM_NAME, program);
  }

  /** What the object wants the map to be; it has no id yet. */
  static MapInfo mapDefinition(MemorySegment map) {
    return new MapInfo(
        number(MAP_TYPE, map),
        0,
        number(MAP_KEY_SIZE, map),
        number(MAP_VALUE_SIZE, map),
        number(MAP_MAX_ENTRIES, map),
        number(MAP_FLAGS, map),
        mapName(map));
  }

  static int mapFd(MemorySegment map) {
    return number(MAP_FD, map);
  }

  static boolean mapInternal(MemorySegment map) {
    try {
      return (boolean) MAP_INTERNAL.invokeExact(map);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int setMaxEntries(MemorySegment map, int entries) {
    return set(MAP_SET_MAX, map, entries);
  }

  static int reuse(MemorySegment map, int fd) {
    return set(MAP_REUSE, map, fd);
  }

  /** A NULL path takes a pin away that the object itself declared. */
  static int setPinPath(MemorySegment map, MemorySegment path) {
    try {
      return (int) MAP_SET_PIN.invokeExact(map, path);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** The bytes that a map of global variables starts with; writable until the object is loaded. */
  static MemorySegment initialValue(MemorySegment map, MemorySegment size) {
    try {
      return (MemorySegment) MAP_INITIAL.invokeExact(map, size);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  static int programFd(MemorySegment program) {
    return number(PROGRAM_FD, program);
  }

  static int attachType(MemorySegment program) {
    return number(PROGRAM_ATTACH_TYPE, program);
  }

  static int setAutoload(MemorySegment program, boolean load) {
    try {
      return (int) PROGRAM_AUTOLOAD.invokeExact(program, load);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** BPF_F_* of loading a program, in place of those that it has. */
  static int setFlags(MemorySegment program, int flags) {
    return set(PROGRAM_SET_FLAGS, program, flags);
  }

  static MemorySegment btf(MemorySegment object) {
    try {
      return (MemorySegment) BTF.invokeExact(object);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static MemorySegment next(MethodHandle call, MemorySegment object, MemorySegment last) {
    try {
      return (MemorySegment) call.invokeExact(object, last);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static String name(MethodHandle call, MemorySegment object) {
    try {
      return Native.string((MemorySegment) call.invokeExact(object));
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static int number(MethodHandle call, MemorySegment object) {
    try {
      return (int) call.invokeExact(object);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  private static int set(MethodHandle call, MemorySegment object, int value) {
    try {
      return (int) call.invokeExact(object, value);
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }
}
