// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.util.HashMap;
import java.util.Map;

/**
 * Error numbers of Linux that the calls of this package return, with their names (errno(3)); the
 * numbers are those of include/uapi/asm-generic/errno*.h, the same on x86-64 and arm64.
 */
public enum Errno {
  EPERM(1, "operation not permitted"),
  ENOENT(2, "no such file, entry or device"),
  ESRCH(3, "no such process"),
  EINTR(4, "interrupted"),
  EIO(5, "input/output error"),
  ENXIO(6, "no such device or address"),
  E2BIG(7, "too big, or the map is full"),
  EBADF(9, "bad file descriptor"),
  EAGAIN(11, "try again"),
  ENOMEM(12, "out of memory"),
  EACCES(13, "permission denied, or refused by the verifier"),
  EFAULT(14, "bad address"),
  EBUSY(16, "busy"),
  EEXIST(17, "exists already"),
  EXDEV(18, "cross-device link"),
  ENODEV(19, "no such device"),
  ENOTDIR(20, "not a directory"),
  EISDIR(21, "is a directory"),
  EINVAL(22, "invalid argument"),
  ENFILE(23, "too many open files in the system"),
  EMFILE(24, "too many open files"),
  EFBIG(27, "too large"),
  ENOSPC(28, "no space left"),
  EROFS(30, "read-only file system"),
  EPIPE(32, "broken pipe"),
  EDOM(33, "out of domain"),
  ERANGE(34, "out of range"),
  ENAMETOOLONG(36, "name too long"),
  ENOSYS(38, "system call not implemented"),
  ENOTEMPTY(39, "directory not empty"),
  ELOOP(40, "too many symbolic links"),
  ENODATA(61, "no data"),
  ENOLINK(67, "link is gone"),
  EPROTO(71, "protocol error"),
  EBADMSG(74, "bad message"),
  EMSGSIZE(90, "message too long"),
  EPROTONOSUPPORT(93, "protocol not supported"),
  EOPNOTSUPP(95, "operation not supported"),
  EAFNOSUPPORT(97, "address family not supported"),
  EADDRINUSE(98, "address in use"),
  EADDRNOTAVAIL(99, "address not available"),
  ENETDOWN(100, "network is down"),
  ENETUNREACH(101, "network is unreachable"),
  ENOBUFS(105, "no buffer space"),
  ENOTCONN(107, "not connected"),
  ETIMEDOUT(110, "timed out"),
  ECONNREFUSED(111, "connection refused"),
  EALREADY(114, "already in progress"),
  ESTALE(116, "stale"),
  /** The kernel's own number for "not supported", which bpf(2) lets through to user space. */
  ENOTSUPP(524, "not supported by this kernel object"),
  /** A number that is not in this table; the message of the exception carries it. */
  UNKNOWN(-1, "unknown error");

  private static final Map<Integer, Errno> BY_NUMBER = new HashMap<>();

  static {
    for (Errno errno : values()) {
      BY_NUMBER.put(errno.number, errno);
    }
  }

  private final int number;
  private final String text;

  Errno(int number, String text) {
    this.number = number;
    this.text = text;
  }

  /** The number as the kernel returns it, positive; -1 for {@link #UNKNOWN}. */
  public int number() {
    return number;
  }

  /** What it means, in words. */
  public String text() {
    return text;
  }

  /** The entry of a positive error number. */
  public static Errno of(int number) {
    return BY_NUMBER.getOrDefault(number, UNKNOWN);
  }

  /** Name and words of a positive error number, also of one that is not in the table. */
  static String describe(int number) {
    Errno errno = of(number);
    return errno == UNKNOWN ? "errno " + number : errno.name() + " (" + errno.text + ")";
  }
}
