// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.kernel.Commands;
import io.pointsman.kernel.KernelSandbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A node with three pods that serve, a pod that asks, and a client outside, each a namespace. Pods
 * tell every asker who they are and from which address and port they were asked.
 */
final class FlowNetwork implements AutoCloseable {
  static final int PORT = 8080;
  static final int PODS = 3;

  /** A number, which the answer begins with. */
  static final int QUESTION_BYTES = 4;

  static final int SILENCE_SECONDS = 600;
  static final String NODE_V4 = "198.51.100.1";
  static final String NODE_V6 = "2001:db8:5::1";

  final KernelSandbox node = new KernelSandbox();
  final KernelSandbox outside = new KernelSandbox();
  final KernelSandbox asker = new KernelSandbox();
  private final List<KernelSandbox> pods = new ArrayList<>();
  private final List<AutoCloseable> open = new ArrayList<>();

  FlowNetwork() {
    node.cable(outside, "out", "198.51.100.", "2001:db8:5::");
    node.cable(asker, "asker", "10.244.9.", "fd00:244:9::");
    for (int i = 0; i < PODS; i++) {
      KernelSandbox pod = new KernelSandbox();
      pods.add(pod);
      node.cable(pod, "pod" + i, "10.244." + i + ".", "fd00:244:" + i + "::");
      serve(i, podV4(i));
      serve(i, podV6(i));
    }
    // Somewhere to go for what nobody takes.
    node.ip("route", "add", "default", "via", "198.51.100.5");
    node.ip("route", "add", "default", "via", "2001:db8:5::5");
    // A slow machine does not make conntrack forget a flow that is silent.
    set("net/netfilter/nf_conntrack_udp_timeout", SILENCE_SECONDS);
    set("net/netfilter/nf_conntrack_udp_timeout_stream", SILENCE_SECONDS);
    set("net/ipv4/ip_forward", 1);
    set("net/ipv6/conf/all/forwarding", 1);
  }

  /** Has the node masquerade what goes to the pods that are as on another node, as some CNIs do. */
  void masqueradeTowardsOthers() {
    Commands.run(
        "ip",
        "netns",
        "exec",
        node.namespace(),
        "nft",
        "table inet cni { chain out { type nat hook postrouting priority 90; oifname { pod1, pod2 }"
            + " meta l4proto { tcp, udp } masquerade fully-random; }; }");
  }

  static String podV4(int pod) {
    return "10.244." + pod + ".5";
  }

  static String podV6(int pod) {
    return "fd00:244:" + pod + "::5";
  }

  private void set(String setting, int value) {
    node.inNamespace(
        () -> Files.writeString(Path.of("/proc/sys", setting), Integer.toString(value)));
  }

  private void serve(int pod, String address) {
    open.add(
        new PodServer(
            pods.get(pod),
            address,
            PORT,
            QUESTION_BYTES,
            (question, asker) ->
                "%s pod %d asked by %s port %d"
                    .formatted(
                        question, pod, asker.getAddress().getHostAddress(), asker.getPort())));
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable each : open) {
      each.close();
    }
    pods.forEach(KernelSandbox::close);
    asker.close();
    outside.close();
    node.close();
  }
}
