// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.kernel.KernelSandbox;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Path;

/** A process of a pod with UDP sockets that send each datagram to a name and are not connected. */
final class UnconnectedSockets implements AutoCloseable {
  private static final String SCRIPT =
      """
      import socket, sys
      to = ("%2$s", %3$d)
      family = socket.AF_INET6 if ":" in to[0] else socket.AF_INET
      sockets = [socket.socket(family, socket.SOCK_DGRAM) for i in range(%1$d)]
      for line in sys.stdin:
          answers = []
          for s in sockets:
              s.settimeout(5)
              s.sendto(b"what", to)
              data, sender = s.recvfrom(100)
              answers.append(data.decode() + " from " + sender[0])
          print("; ".join(answers), flush=True)
      """;

  private final Process process;
  private final Writer in;
  private final BufferedReader out;

  UnconnectedSockets(KernelSandbox pod, Path cgroup, int sockets, String address, int port)
      throws IOException {
    String enter = "echo $$ > " + cgroup.resolve("cgroup.procs") + " && exec python3 -c \"$0\"";
    process =
        new ProcessBuilder(
                "nsenter",
                "--net=/run/netns/" + pod.namespace(),
                "sh",
                "-c",
                enter,
                SCRIPT.formatted(sockets, address, port))
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    in = process.outputWriter();
    out = process.inputReader();
  }

  /** Sends from every socket; who answered whom, and by which name. */
  String ask() throws IOException {
    in.write("\n");
    in.flush();
    return String.valueOf(out.readLine());
  }

  @Override
  public void close() throws IOException {
    in.close();
    out.close();
    process.destroy();
    process.onExit().join();
  }
}
