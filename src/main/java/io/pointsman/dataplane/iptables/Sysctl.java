// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A setting of the kernel in the network namespace of the thread that asks (sysctl(8)). */
record Sysctl(String text) {
  /** Lets node ports answer at 127.0.0.1. */
  static final Sysctl ROUTE_LOCALNET = new Sysctl("net.ipv4.conf.all.route_localnet");

  static final Sysctl IP_FORWARD = new Sysctl("net.ipv4.ip_forward");
  static final Sysctl IPV6_FORWARDING = new Sysctl("net.ipv6.conf.all.forwarding");
  static final Sysctl BRIDGE_CALLS = new Sysctl("net.bridge.bridge-nf-call-iptables");

  /** The value; null when this kernel does not have the setting. */
  @Nullable String value() {
    try {
      return Files.readString(path()).strip();
    } catch (IOException e) {
      return null;
    }
  }

  /** Whether it has this value now; false when it cannot be set, as in a pod's read-only /proc. */
  boolean set(String value) {
    if (value.equals(value())) {
      return true;
    }
    try {
      Files.writeString(path(), value);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  boolean writable() {
    return Files.isWritable(path());
  }

  private Path path() {
    return Path.of("/proc/sys", text.split("\\.", -1));
  }
}
