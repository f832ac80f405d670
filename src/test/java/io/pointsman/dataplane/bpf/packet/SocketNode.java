// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import io.pointsman.kernel.BpfLink;
import io.pointsman.kernel.BpfObject;
import io.pointsman.kernel.Commands;
import io.pointsman.kernel.Features;
import io.pointsman.kernel.KernelSandbox;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A node of one namespace and one cgroup, whose processes' sockets the programs balance. */
final class SocketNode implements AutoCloseable {
  static final String NODE_V4 = "192.0.2.1";
  static final String NODE_V6 = "2001:db8::1";
  private static final int SET_RETVAL = 187; // BPF_FUNC_set_retval

  /** What scripts find defined. */
  private static final String PRELUDE =
      """
      import socket, sys
      def family(address):
          return socket.AF_INET6 if ":" in address else socket.AF_INET
      def peer(s):
          return "%s %d" % s.getpeername()[:2]
      def tcp(address, port):
          s = socket.socket(family(address), socket.SOCK_STREAM)
          s.settimeout(5)
          s.connect((address, port))
          return s
      def udp(address):
          s = socket.socket(family(address), socket.SOCK_DGRAM)
          s.settimeout(5)
          return s
      def name(s):
          return s.recv(100).decode().split()[0]
      def refused(call):
          try:
              call()
          except OSError as e:
              return e.errno
      """;

  final KernelSandbox sandbox = new KernelSandbox();
  final Servers servers = new Servers(sandbox);
  private final BpfObject object;
  final Tables tables;
  private final long cookie;
  private final List<BpfLink> links = new ArrayList<>();

  /** Chooses the error of refused calls where the kernel can. */
  static boolean canChooseError() {
    return Features.helper(Features.PROGRAM_TYPE_SOCK_ADDR, SET_RETVAL);
  }

  SocketNode(boolean chooseError) {
    object = load(chooseError);
    tables = new Tables(object);
    for (String program : object.programNames()) {
      links.add(BpfLink.attachCgroup(object.program(program), sandbox.cgroup()));
    }
    cookie = sandbox.inNamespace(() -> Features.networkNamespaceCookie().orElse(0L));
    phase(Tables.ACTIVE);
    sandbox.ipBatch(
        """
        addr add 192.0.2.1/32 dev lo
        addr add 2001:db8::1/128 dev lo nodad
        addr add 10.244.1.1/24 dev lo
        addr add 10.244.1.2/24 dev lo
        addr add fd00:244::1/128 dev lo nodad
        addr add fd00:244::2/128 dev lo nodad
        """);
    tables.nodeAddress(Endpoint.of(NODE_V4, 0).address());
    tables.nodeAddress(Endpoint.of(NODE_V6, 0).address());
  }

  private static BpfObject load(boolean chooseError) {
    try {
      byte[] elf = Files.readAllBytes(Path.of("target/classes/bpf/socket.bpf.o"));
      byte[] choose = {(byte) (chooseError ? 1 : 0)};
      BpfObject opened =
          BpfObject.open(
              "socket",
              elf,
              BpfObject.Options.NONE.withConstants(Map.of("have_set_retval", choose)));
      opened.load();
      return opened;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Sets the phase; this namespace is the node's own. */
  void phase(int phase) {
    tables.config(phase, 0, 0, cookie);
  }

  /** From now on the node's own namespace is another one, and this one a pod's. */
  void becomePod() {
    tables.config(Tables.ACTIVE, 0, 0, cookie + 1);
  }

  /** Runs a script in the node's namespace and cgroup and returns what it prints. */
  String python(String script, Object... arguments) {
    return Commands.run(command(script, arguments)).strip();
  }

  /** The command of a script, for one that runs beside the test. */
  String[] command(String script, Object... arguments) {
    String enter =
        "echo $$ > " + sandbox.cgroup().resolve("cgroup.procs") + " && exec python3 -c \"$0\"";
    // Not "ip netns exec", which hides the cgroups behind a new /sys.
    return new String[] {
      "nsenter",
      "--net=/run/netns/" + sandbox.namespace(),
      "sh",
      "-c",
      enter,
      PRELUDE + script.formatted(arguments)
    };
  }

  @Override
  public void close() {
    links.forEach(BpfLink::close);
    servers.close();
    object.close();
    sandbox.close();
  }
}
