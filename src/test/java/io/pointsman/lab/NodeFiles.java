// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;

/** The configuration files of one node. */
final class NodeFiles {
  /** Bit of CAP_SYS_RESOURCE in a capability set, from linux/capability.h. */
  private static final int CAP_SYS_RESOURCE = 24;

  private final LabState state;
  private final int number;

  NodeFiles(LabState state, int number) {
    this.state = state;
    this.number = number;
  }

  void write() {
    var folder = state.node(number);
    if (Files.exists(folder.resolve("kubelet.kubeconfig"))) {
      return;
    }
    var values =
        Map.of(
            "bin", state.binaries().toString(),
            "runc", runc(),
            "pause", Images.PAUSE,
            "pki", state.pki().toString(),
            "dns4", Addresses.DNS_SERVICE_4,
            "podCidr4", Addresses.pods4(number),
            "podCidr6", Addresses.pods6(number));
    LabFolders.write(folder.resolve("containerd.toml"), Template.render("containerd.toml", values));
    LabFolders.write(folder.resolve("kubelet.yaml"), Template.render("kubelet.yaml", values));
    LabFolders.write(
        folder.resolve("cni/10-lab.conflist"), Template.render("bridge.conflist", values));
    var certificates = new Certificates(state.pki());
    var name = "node-" + number;
    certificates.client(name, "/O=system:nodes/CN=system:node:" + name);
    var server = "https://%s:%d".formatted(Addresses.CONTROL_PLANE_4, Addresses.API_PORT);
    LabFolders.writeSecret(
        folder.resolve("kubelet.kubeconfig"), certificates.kubeconfig(name, server));
  }

  /** runc itself, or a script that first takes out the capability this machine lacks. */
  private String runc() {
    var runc = state.binaries().resolve("runc");
    if (mayRaiseLimits()) {
      return runc.toString();
    }
    var script = state.node(number).resolve("runc");
    LabFolders.write(
        script,
        "#!/bin/sh\nexec '%s' sandbox '%s' \"$@\"\n"
            .formatted(state.binaries().resolve("labinit"), runc));
    try {
      Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
    } catch (java.io.IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return script.toString();
  }

  private static boolean mayRaiseLimits() {
    for (var line : LabFolders.read(java.nio.file.Path.of("/proc/self/status")).split("\n", -1)) {
      if (line.startsWith("CapBnd:")) {
        var bits = Long.parseUnsignedLong(line.substring("CapBnd:".length()).strip(), 16);
        return (bits >>> CAP_SYS_RESOURCE & 1) == 1;
      }
    }
    return true;
  }
}
