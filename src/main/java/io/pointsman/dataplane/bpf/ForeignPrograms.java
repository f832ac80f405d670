// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import io.pointsman.kernel.AttachedProgram;
import io.pointsman.kernel.BpfException;
import io.pointsman.kernel.BpfLink;
import io.pointsman.kernel.BpfQuery;
import io.pointsman.kernel.Errno;
import io.pointsman.kernel.NetworkDevice;
import io.pointsman.kernel.RtNetlink;
import io.pointsman.kernel.TcDirection;
import io.pointsman.kernel.TcFilterInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Finds programs of others where ours are attached, and names them. */
final class ForeignPrograms {
  /** enum bpf_attach_type of each program in {@link Programs#SOCKET}. */
  private static final Map<String, Integer> SOCKET_HOOKS = new LinkedHashMap<>();

  static {
    SOCKET_HOOKS.put("connect4", 10);
    SOCKET_HOOKS.put("connect6", 11);
    SOCKET_HOOKS.put("sendmsg4", 14);
    SOCKET_HOOKS.put("sendmsg6", 15);
    SOCKET_HOOKS.put("recvmsg4", 19);
    SOCKET_HOOKS.put("recvmsg6", 20);
    SOCKET_HOOKS.put("getpeername4", 29);
    SOCKET_HOOKS.put("getpeername6", 30);
  }

  private static final int MAX_NAMED = 5;

  private final BpfOptions options;
  private final Pins pins;

  ForeignPrograms(BpfOptions options) {
    this.options = options;
    this.pins = new Pins(options.pinRoot());
  }

  List<Finding> find() {
    Set<Integer> ours = ours();
    List<Finding> findings = new ArrayList<>();
    findAtSockets(ours, findings);
    findAtDevices(ours, findings);
    return findings;
  }

  /** Whoever balances at sockets before or after us would see the other's addresses. */
  private void findAtSockets(Set<Integer> ours, List<Finding> findings) {
    Path cgroup = options.cgroupRoot();
    SOCKET_HOOKS.forEach(
        (hook, type) ->
            BpfQuery.cgroup(cgroup, type).stream()
                .filter(program -> !ours.contains(program.id()))
                .forEach(
                    program ->
                        findings.add(
                            new Finding(
                                Severity.BLOCKING,
                                "ForeignSocketProgram",
                                program + " is attached to " + cgroup + " at " + hook + ".",
                                "Turn off the kube-proxy replacement that it belongs to."))));
  }

  private void findAtDevices(Set<Integer> ours, List<Finding> findings) {
    List<String> found = new ArrayList<>();
    try (RtNetlink netlink = new RtNetlink()) {
      for (NetworkDevice device : netlink.devices()) {
        for (TcDirection direction : TcDirection.values()) {
          for (AttachedProgram program : at(device.index(), direction, netlink)) {
            if (!ours.contains(program.id())) {
              found.add(program + " on " + device.name());
            }
          }
        }
      }
    }
    if (!found.isEmpty()) {
      String more = found.size() > MAX_NAMED ? " and " + (found.size() - MAX_NAMED) + " more" : "";
      findings.add(
          new Finding(
              Severity.WARNING,
              "ForeignDevicePrograms",
              "Other tc programs are attached: "
                  + String.join(", ", found.subList(0, Math.min(MAX_NAMED, found.size())))
                  + more
                  + ".",
              "Nothing to do if they belong to the CNI and do not serve Services."));
    }
  }

  private List<AttachedProgram> at(int ifindex, TcDirection direction, RtNetlink netlink) {
    List<AttachedProgram> found = new ArrayList<>();
    if (io.pointsman.kernel.Features.tcx()) {
      found.addAll(BpfQuery.tcx(ifindex, direction));
    }
    netlink.filters(ifindex, direction).stream()
        .filter(filter -> !FilterAttachment.isOurs(filter))
        .map(TcFilterInfo::program)
        .forEach(found::add);
    return found;
  }

  private Set<Integer> ours() {
    Set<Integer> ids = new HashSet<>();
    for (String name : pins.linkNames()) {
      try (BpfLink link = BpfLink.openPinned(pins.link(name))) {
        ids.add(link.info().programId());
      } catch (BpfException e) {
        if (e.errno() != Errno.ENOENT) {
          throw e;
        }
      }
    }
    return ids;
  }
}
