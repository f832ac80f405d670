// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.kernel.BpfException;
import io.pointsman.kernel.BpfLink;
import io.pointsman.kernel.BpfProgram;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.LinkInfo;
import io.pointsman.kernel.RtNetlink;
import io.pointsman.kernel.TcDirection;
import java.util.List;
import java.util.Set;

/** Runs the packet programs by pinned tcx links, one per device and direction. */
final class TcxAttachment implements DeviceAttachment {
  private final Programs programs;
  private final Pins pins;

  TcxAttachment(Programs programs, Pins pins) {
    this.programs = programs;
    this.pins = pins;
  }

  /** Egress first: a flow that is translated at ingress needs its replies translated back. */
  @Override
  public boolean attach(int ifindex) {
    boolean changed = attach(programs.egress(), ifindex, TcDirection.EGRESS);
    return attach(programs.ingress(), ifindex, TcDirection.INGRESS) | changed;
  }

  @Override
  public String defect(int ifindex, String name, RtNetlink netlink) {
    String ingress = defect(programs.ingress(), ifindex, name);
    return ingress.isEmpty() ? defect(programs.egress(), ifindex, name) : ingress;
  }

  @Override
  public void retain(Set<Integer> wanted, RtNetlink netlink) {
    for (String pin : pins.linkNames()) {
      int ifindex = ifindex(pin);
      if (ifindex > 0 && !wanted.contains(ifindex)) {
        detach(pin);
      }
    }
  }

  @Override
  public void close() {}

  private boolean attach(BpfProgram program, int ifindex, TcDirection direction) {
    String pin = pin(program, ifindex);
    try (BpfLink link = BpfLink.openPinned(pins.link(pin))) {
      LinkInfo info = link.info();
      // The link of a device that is gone has no target, and an index may come again.
      if (info.target() == ifindex) {
        if (info.programId() == program.id()) {
          return false;
        }
        link.update(program);
        return true;
      }
    } catch (BpfException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
    }
    pins.unpin(pins.link(pin));
    try (BpfLink link = BpfLink.attachTcx(program, ifindex, direction)) {
      link.pin(pins.link(pin));
    }
    return true;
  }

  private String defect(BpfProgram program, int ifindex, String name) {
    String pin = pin(program, ifindex);
    try (BpfLink link = BpfLink.openPinned(pins.link(pin))) {
      LinkInfo info = link.info();
      if (info.target() != ifindex) {
        return "The program " + program.name() + " is not attached to device " + name + ".";
      }
      return info.programId() == program.id()
          ? ""
          : "Device " + name + " runs another program as " + program.name() + ".";
    } catch (BpfException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
      return "The link of " + program.name() + " on device " + name + " is not pinned.";
    }
  }

  private void detach(String pin) {
    detach(pins, pin);
  }

  /** Detaches a link at once, whoever else may hold it, and takes its pin away. */
  static void detach(Pins pins, String pin) {
    try (BpfLink link = BpfLink.openPinned(pins.link(pin))) {
      link.detach();
    } catch (BpfException e) {
      if (!List.of(Errno.ENOENT, Errno.ENOLINK).contains(e.errno())) {
        throw e;
      }
    }
    pins.unpin(pins.link(pin));
  }

  private static String pin(BpfProgram program, int ifindex) {
    return program.name() + "-" + ifindex;
  }

  /** The device that a pin's name speaks of, 0 for another pin. */
  private static int ifindex(String pin) {
    for (String program : List.of(Programs.INGRESS, Programs.EGRESS)) {
      if (pin.startsWith(program + "-")) {
        return Integer.parseInt(pin.substring(program.length() + 1));
      }
    }
    return 0;
  }
}
