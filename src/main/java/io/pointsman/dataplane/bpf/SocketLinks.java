// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.BpfException;
import io.pointsman.kernel.BpfLink;
import io.pointsman.kernel.BpfProgram;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.LinkInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Keeps the socket programs attached to the cgroup by pinned links. */
final class SocketLinks {
  private final Programs programs;
  private final Pins pins;
  private final Path cgroup;

  SocketLinks(Programs programs, Pins pins, Path cgroup) {
    this.programs = programs;
    this.pins = pins;
    this.cgroup = cgroup;
  }

  /** Attaches what is not attached and replaces programs that are not ours; returns how many. */
  int attach() {
    long id = cgroupId();
    int changed = 0;
    for (String name : Programs.SOCKET) {
      changed += attach(name, id) ? 1 : 0;
    }
    return changed;
  }

  List<String> defects() {
    long id = cgroupId();
    List<String> defects = new ArrayList<>();
    for (String name : Programs.SOCKET) {
      String defect = defect(name, id);
      if (!defect.isEmpty()) {
        defects.add(defect);
      }
    }
    return defects;
  }

  private boolean attach(String name, long cgroupId) {
    BpfProgram program = programs.socketProgram(name);
    Path pin = pins.link(name);
    try (BpfLink link = BpfLink.openPinned(pin)) {
      LinkInfo info = link.info();
      if (info.target() == cgroupId && info.attachType() == program.attachType()) {
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
    // A link that was detached, or is on another cgroup, cannot be brought back.
    pins.unpin(pin);
    try (BpfLink link = BpfLink.attachCgroup(program, cgroup)) {
      link.pin(pin);
    }
    return true;
  }

  private String defect(String name, long cgroupId) {
    try (BpfLink link = BpfLink.openPinned(pins.link(name))) {
      LinkInfo info = link.info();
      if (info.target() != cgroupId) {
        return "The program " + name + " is not attached to " + cgroup + ".";
      }
      return info.programId() == programs.socketProgram(name).id()
          ? ""
          : "The link of " + name + " runs another program (" + info.programId() + ").";
    } catch (BpfException e) {
      if (e.errno() != Errno.ENOENT) {
        throw e;
      }
      return "The link of the program " + name + " is not pinned at " + pins.link(name) + ".";
    }
  }

  /** The kernel names a cgroup by the inode of its folder. */
  private long cgroupId() {
    try {
      return (Long) Files.getAttribute(cgroup, "unix:ino");
    } catch (IOException e) {
      throw new DataplaneException("look at cgroup " + cgroup, e);
    }
  }
}
