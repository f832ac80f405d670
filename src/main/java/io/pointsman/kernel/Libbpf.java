// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;

/**
 * The shared library libbpf.so.1, and what it prints. From 1.0 on its functions return a negative
 * error number, so errno itself is only needed where a pointer is returned.
 */
public final class Libbpf {
  private static final String LIBRARY = "libbpf.so.1";
  private static final int PRINT_LEVEL_WARN = 0;
  private static final int MAX_MESSAGE = 64 * 1024;

  private static final ThreadLocal<List<String>> MESSAGES = ThreadLocal.withInitial(ArrayList::new);

  private Libbpf() {}

  /**
   * The library's version, such as "v1.4".
   *
   * @throws IllegalStateException when the library is not installed; the message says what to do
   */
  public static String version() {
    MethodHandle version =
        Native.bind(symbols(), "libbpf_version_string", FunctionDescriptor.of(POINTER));
    try {
      return Native.string((MemorySegment) version.invokeExact());
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  @SuppressWarnings("restricted")
  static SymbolLookup symbols() {
    try {
      return SymbolLookup.libraryLookup(LIBRARY, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new IllegalStateException(
          LIBRARY + " cannot be loaded: install libbpf 1.1 or newer (Debian package libbpf1)", e);
    }
  }

  /** The library with its warnings going to {@link #takeMessages()} instead of stderr. */
  static SymbolLookup quietSymbols() {
    return Quiet.SYMBOLS;
  }

  /** The warnings of this thread's calls since the last time, and forgets them. */
  static String takeMessages() {
    List<String> messages = MESSAGES.get();
    String text = String.join("\n", messages);
    messages.clear();
    return text;
  }

  private static final class Quiet {
    static final SymbolLookup SYMBOLS = symbols();

    // int vsnprintf(char *s, size_t n, const char *format, va_list ap): on x86-64 and arm64 a
    // va_list argument arrives as a pointer, so it can be handed on.
    private static final MethodHandle VSNPRINTF =
        Native.bind(
            Native.libc(),
            "vsnprintf",
            FunctionDescriptor.of(INT, POINTER, Native.LONG, POINTER, POINTER));

    static {
      try {
        MethodHandle print =
            MethodHandles.lookup()
                .findStatic(
                    Quiet.class,
                    "print",
                    MethodType.methodType(
                        int.class, int.class, MemorySegment.class, MemorySegment.class));
        MemorySegment stub =
            Native.linker()
                .upcallStub(
                    print, FunctionDescriptor.of(INT, INT, POINTER, POINTER), Arena.global());
        MethodHandle setPrint =
            Native.bind(SYMBOLS, "libbpf_set_print", FunctionDescriptor.of(POINTER, POINTER));
        MemorySegment before = (MemorySegment) setPrint.invokeExact(stub);
        if (before.address() == 0) {
          throw new IllegalStateException("libbpf had no print function");
        }
      } catch (Throwable t) {
        throw Native.unexpected(t);
      }
    }

    @SuppressWarnings("UnusedMethod") // called by libbpf
    private static int print(int level, MemorySegment format, MemorySegment arguments) {
      if (level != PRINT_LEVEL_WARN) {
        return 0;
      }
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment text = arena.allocate(MAX_MESSAGE);
        int length = (int) VSNPRINTF.invokeExact(text, (long) MAX_MESSAGE, format, arguments);
        MESSAGES.get().add(text.getString(0).strip());
        return length;
      } catch (Throwable t) {
        // An exception must not cross back into C.
        return 0;
      }
    }
  }
}
