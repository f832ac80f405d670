// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static io.pointsman.kernel.Native.INT;
import static io.pointsman.kernel.Native.POINTER;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What this kernel can do, found by asking it and not by its version where that is possible. */
public final class Features {
  /** BPF_PROG_TYPE_SCHED_CLS. */
  public static final int PROGRAM_TYPE_TC = 3;

  /** BPF_PROG_TYPE_CGROUP_SOCK_ADDR. */
  public static final int PROGRAM_TYPE_SOCK_ADDR = 18;

  /** BPF_MAP_TYPE_HASH. */
  public static final int MAP_TYPE_HASH = 1;

  /** BPF_MAP_TYPE_PERCPU_ARRAY. */
  public static final int MAP_TYPE_PERCPU_ARRAY = 6;

  /** BPF_MAP_TYPE_LRU_HASH. */
  public static final int MAP_TYPE_LRU_HASH = 9;

  /** BPF_FS_MAGIC of linux/magic.h. */
  private static final long BPFFS_MAGIC = 0xcafe4a11L;

  private static final long MAGIC_MASK = 0xffffffffL;
  private static final Path BTF = Path.of("/sys/kernel/btf/vmlinux");
  private static final Sysctl RELEASE = new Sysctl("kernel.osrelease");
  private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");

  private Features() {}

  /**
   * A kernel's version.
   *
   * @param text the whole of it, as uname -r prints
   */
  public record KernelVersion(int major, int minor, String text) {
    /** Whether it is this version or a later one. */
    public boolean atLeast(int wantedMajor, int wantedMinor) {
      return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
    }
  }

  /** The running kernel's version. */
  public static KernelVersion kernelVersion() {
    String text = String.valueOf(RELEASE.value());
    Matcher matcher = VERSION.matcher(text);
    if (!matcher.matches()) {
      throw new IllegalStateException("kernel version not understood: " + text);
    }
    return new KernelVersion(
        Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)), text);
  }

  /** Whether programs of a type can be loaded; false also when the caller may not. */
  public static boolean programType(int type) {
    return probe("libbpf_probe_bpf_prog_type", type);
  }

  /** Whether maps of a type can be created; false also when the caller may not. */
  public static boolean mapType(int type) {
    return probe("libbpf_probe_bpf_map_type", type);
  }

  /**
   * Whether the kernel has a helper (BPF_FUNC_* of linux/bpf.h). An older libbpf on a newer kernel
   * says yes as well when the kernel has it, but not for this type of program.
   */
  public static boolean helper(int programType, int helper) {
    MethodHandle call =
        Native.bind(
            Libbpf.quietSymbols(),
            "libbpf_probe_bpf_helper",
            FunctionDescriptor.of(INT, INT, INT, POINTER));
    try {
      return (int) call.invokeExact(programType, helper, MemorySegment.NULL) > 0;
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }

  /** Whether programs can be attached to devices by tcx, which came with kernel 6.6. */
  public static boolean tcx() {
    return kernelVersion().atLeast(6, 6);
  }

  /** Whether the kernel carries its own type information. */
  public static boolean btf() {
    return Files.isReadable(BTF);
  }

  /** Whether a path lies in a bpffs. */
  public static boolean isBpffs(Path path) {
    return (Libc.fileSystemMagic(path.toString()) & MAGIC_MASK) == BPFFS_MAGIC;
  }

  /**
   * The cookie of the calling thread's network namespace, as bpf_get_netns_cookie knows it; empty
   * before kernel 5.14.
   */
  public static Optional<Long> networkNamespaceCookie() {
    int fd = LibcSockets.socket(LibcSockets.AF_NETLINK, LibcSockets.SOCK_RAW_CLOEXEC, 0);
    if (fd < 0) {
      throw new KernelException("open socket", "netlink", -fd);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment cookie = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment size = arena.allocateFrom(ValueLayout.JAVA_INT, Long.BYTES);
      int result = LibcSockets.getOption(fd, LibcSockets.SO_NETNS_COOKIE, cookie, size);
      return result < 0 ? Optional.empty() : Optional.of(cookie.get(ValueLayout.JAVA_LONG, 0));
    } finally {
      Libc.close(fd);
    }
  }

  private static boolean probe(String function, int type) {
    MethodHandle call =
        Native.bind(Libbpf.quietSymbols(), function, FunctionDescriptor.of(INT, INT, POINTER));
    try {
      return (int) call.invokeExact(type, MemorySegment.NULL) > 0;
    } catch (Throwable t) {
      throw Native.unexpected(t);
    }
  }
}
