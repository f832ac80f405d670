// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.nio.file.Path;

/**
 * A program's attachment as an object of its own: pinned, it outlives the process; its program can
 * be replaced without a gap. Closing without a pin detaches.
 */
public final class BpfLink implements AutoCloseable {
  private static final int BEFORE = 1 << 3; // BPF_F_BEFORE with no other program named: first

  private final Descriptor descriptor;
  private final String name;

  private BpfLink(int fd, String name) {
    this.descriptor = new Descriptor(fd, "link " + name);
    this.name = name;
  }

  /** Attaches a program to a cgroup beside all others (as with BPF_F_ALLOW_MULTI). */
  public static BpfLink attachCgroup(BpfProgram program, Path cgroup) {
    int target = Libc.open(cgroup.toString());
    try {
      int fd = LibbpfFds.linkCreate(program.fd(), target, program.attachType(), 0);
      return created(fd, "attach " + program.name() + " to cgroup", cgroup.toString());
    } finally {
      Libc.close(target);
    }
  }

  /**
   * Attaches a program to a device of the caller's network namespace by tcx (from kernel 6.6),
   * before those that are there: one of them may end the chain.
   */
  public static BpfLink attachTcx(BpfProgram program, int ifindex, TcDirection direction) {
    int fd = LibbpfFds.linkCreate(program.fd(), ifindex, direction.tcxAttachType(), BEFORE);
    return created(fd, "attach " + program.name() + " to device", "index " + ifindex);
  }

  private static BpfLink created(int fd, String operation, String object) {
    if (fd < 0) {
      throw new BpfException(operation, object, -fd);
    }
    return new BpfLink(fd, operation + " " + object);
  }

  /** Opens a link by its pin. */
  public static BpfLink openPinned(Path pin) {
    int fd = LibbpfFds.get(pin.toString());
    if (fd < 0) {
      throw new BpfException("open pinned link", pin.toString(), -fd);
    }
    return new BpfLink(fd, pin.toString());
  }

  /** Pins the link to a file in a bpffs. */
  public void pin(Path path) {
    check(LibbpfFds.pin(descriptor.get(), path.toString()), "pin link to", path.toString());
  }

  /** Puts another program in the place of the one that runs, between two packets. */
  public void update(BpfProgram program) {
    check(
        LibbpfFds.linkUpdate(descriptor.get(), program.fd()),
        "replace program by " + program.name() + " in link",
        name);
  }

  /** Detaches for good although pins or descriptors remain. */
  public void detach() {
    check(LibbpfFds.linkDetach(descriptor.get()), "detach link", name);
  }

  /** What the kernel says of the link now. */
  public LinkInfo info() {
    return LinkInfo.read(descriptor.get(), name);
  }

  @Override
  public void close() {
    descriptor.close();
  }

  private static void check(int result, String operation, String object) {
    if (result < 0) {
      throw new BpfException(operation, object, -result);
    }
  }
}
