// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.Cgroups;
import io.pointsman.kernel.Features;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where the BPF dataplane finds and puts things on this machine.
 *
 * @param pinRoot a folder in a bpffs that is made when needed; a folder for the layout's version
 *     goes below it
 * @param cgroup the cgroup v2 whose sockets are balanced; empty finds the root
 * @param tcx whether devices are attached to by tcx links (from kernel 6.6) or by clsact filters
 */
public record BpfOptions(Path pinRoot, Optional<Path> cgroup, MapSizes sizes, boolean tcx) {
  private static final Path PIN_ROOT = Path.of("/sys/fs/bpf/pointsman");

  /** What fits a node. */
  public static BpfOptions defaults() {
    return new BpfOptions(PIN_ROOT, Optional.empty(), MapSizes.DEFAULTS, Features.tcx());
  }

  /** The same with pins elsewhere. */
  public BpfOptions pinnedUnder(Path root) {
    return new BpfOptions(root, cgroup, sizes, tcx);
  }

  /** The same for the sockets of another cgroup. */
  public BpfOptions on(Path cgroupRoot) {
    return new BpfOptions(pinRoot, Optional.of(cgroupRoot), sizes, tcx);
  }

  /** The same with maps of other sizes. */
  public BpfOptions sized(MapSizes other) {
    return new BpfOptions(pinRoot, cgroup, other, tcx);
  }

  /** The same with tcx or without. */
  public BpfOptions withTcx(boolean wanted) {
    return new BpfOptions(pinRoot, cgroup, sizes, wanted);
  }

  /**
   * The cgroup whose sockets are balanced.
   *
   * @throws DataplaneException when none was given and the machine has no cgroup2
   */
  Path cgroupRoot() {
    try {
      return cgroup.orElseGet(Cgroups::root);
    } catch (IllegalStateException e) {
      throw new DataplaneException(String.valueOf(e.getMessage()), e);
    }
  }
}
