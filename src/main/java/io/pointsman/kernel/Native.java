// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.util.Optional;

/** How this package binds C functions; errno is captured per thread right after the call. */
final class Native {
  static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT;
  static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG;
  static final AddressLayout POINTER = ValueLayout.ADDRESS;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final StructLayout STATE = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE.varHandle(MemoryLayout.PathElement.groupElement("errno"));
  private static final ThreadLocal<MemorySegment> CAPTURE =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(STATE));

  private Native() {}

  /** A function that reports failure by its return value alone. */
  static MethodHandle bind(
      SymbolLookup library, String name, FunctionDescriptor type, Linker.Option... options) {
    return LINKER.downcallHandle(library.findOrThrow(name), type, options);
  }

  /** A function that not every version of the library has. */
  static Optional<MethodHandle> bindOptional(
      SymbolLookup library, String name, FunctionDescriptor type) {
    return library.find(name).map(symbol -> LINKER.downcallHandle(symbol, type));
  }

  /** A function that reports failure by errno; its first argument is {@link #capture()}. */
  static MethodHandle bindErrno(SymbolLookup library, String name, FunctionDescriptor type) {
    return bind(library, name, type, Linker.Option.captureCallState("errno"));
  }

  /** A variadic function that reports failure by errno. */
  static MethodHandle bindVariadic(String name, FunctionDescriptor type, int fixedArguments) {
    return bind(
        LINKER.defaultLookup(),
        name,
        type,
        Linker.Option.captureCallState("errno"),
        Linker.Option.firstVariadicArg(fixedArguments));
  }

  static SymbolLookup libc() {
    return LINKER.defaultLookup();
  }

  static Linker linker() {
    return LINKER;
  }

  /** Where this thread's calls leave errno. */
  static MemorySegment capture() {
    return CAPTURE.get();
  }

  /** What errno was after this thread's last capturing call. */
  static int errno() {
    return (int) ERRNO.get(CAPTURE.get(), 0L);
  }

  /** A C string at an address, empty for NULL. */
  @SuppressWarnings("restricted")
  static String string(MemorySegment address) {
    return address.address() == 0 ? "" : address.reinterpret(Long.MAX_VALUE).getString(0);
  }

  /** A method handle threw, which a downcall never does unless the binding is wrong. */
  static RuntimeException unexpected(Throwable thrown) {
    if (thrown instanceof RuntimeException runtime) {
      return runtime;
    }
    if (thrown instanceof Error error) {
      throw error;
    }
    return new IllegalStateException("native binding is wrong", thrown);
  }
}
