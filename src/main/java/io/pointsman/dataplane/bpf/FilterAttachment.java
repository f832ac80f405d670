// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.kernel.BpfProgram;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import io.pointsman.kernel.TcDirection;
import io.pointsman.kernel.TcFilter;
import io.pointsman.kernel.TcFilterInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Runs the packet programs by clsact filters at a place of their own, for kernels without tcx. */
final class FilterAttachment implements DeviceAttachment {
  private static final int HANDLE = 0x706d;
  // Before all others: one of them may end the chain.
  private static final int PRIORITY = 1;

  private final Programs programs;

  FilterAttachment(Programs programs) {
    this.programs = programs;
  }

  @Override
  public boolean attach(int ifindex) {
    try (RtNetlink netlink = new RtNetlink()) {
      boolean changed = attach(programs.egress(), ifindex, TcDirection.EGRESS, netlink);
      return attach(programs.ingress(), ifindex, TcDirection.INGRESS, netlink) | changed;
    }
  }

  @Override
  public String defect(int ifindex, String name, RtNetlink netlink) {
    for (TcDirection direction : TcDirection.values()) {
      BpfProgram program = program(direction);
      if (!runs(program, ours(ifindex, direction, netlink))) {
        return "The program " + program.name() + " is not attached to device " + name + ".";
      }
    }
    return "";
  }

  @Override
  public void retain(Set<Integer> wanted, RtNetlink netlink) {
    for (NetworkDevice device : netlink.devices()) {
      if (!wanted.contains(device.index())) {
        remove(device.index(), netlink);
      }
    }
  }

  @Override
  public void close() {}

  /** Takes our filters away, and the qdisc when nothing else is on it. */
  static void remove(int ifindex, RtNetlink netlink) {
    boolean ours = false;
    boolean others = false;
    for (TcDirection direction : TcDirection.values()) {
      for (TcFilterInfo filter : netlink.filters(ifindex, direction)) {
        if (isOurs(filter)) {
          TcFilter.detach(ifindex, direction, HANDLE, filter.priority());
          ours = true;
        } else {
          others = true;
        }
      }
    }
    if (ours && !others) {
      TcFilter.destroy(ifindex);
    }
  }

  /** Our filters on all devices, in words. */
  static List<String> leftovers(RtNetlink netlink) {
    List<String> found = new ArrayList<>();
    for (NetworkDevice device : netlink.devices()) {
      for (TcDirection direction : TcDirection.values()) {
        if (!ours(device.index(), direction, netlink).isEmpty()) {
          String where = direction.name().toLowerCase(Locale.ROOT);
          found.add("tc filter at " + where + " of device " + device.name());
        }
      }
    }
    return found;
  }

  /** Wherever it stands: an agent from before had another place for some. */
  static boolean isOurs(TcFilterInfo filter) {
    return filter.handle() == HANDLE;
  }

  private boolean attach(
      BpfProgram program, int ifindex, TcDirection direction, RtNetlink netlink) {
    List<TcFilterInfo> ours = ours(ifindex, direction, netlink);
    boolean changed = !runs(program, ours);
    if (changed) {
      TcFilter.attach(program, ifindex, direction, HANDLE, PRIORITY);
    }
    for (TcFilterInfo filter : ours) {
      if (filter.priority() != PRIORITY) {
        TcFilter.detach(ifindex, direction, HANDLE, filter.priority());
        changed = true;
      }
    }
    return changed;
  }

  private static List<TcFilterInfo> ours(int ifindex, TcDirection direction, RtNetlink netlink) {
    return netlink.filters(ifindex, direction).stream().filter(FilterAttachment::isOurs).toList();
  }

  private static boolean runs(BpfProgram program, List<TcFilterInfo> ours) {
    return ours.stream()
        .anyMatch(filter -> filter.priority() == PRIORITY && filter.program().id() == program.id());
  }

  private BpfProgram program(TcDirection direction) {
    return switch (direction) {
      case INGRESS -> programs.ingress();
      case EGRESS -> programs.egress();
    };
  }
}
