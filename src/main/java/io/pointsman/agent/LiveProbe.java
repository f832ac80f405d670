// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Asks the probe Service who answers, by every way that a client can take to it. */
final class LiveProbe {
  /** The path that every agent answers with its node's name. */
  static final String PATH = "/probe";

  private static final int TIMEOUT_MILLIS = 2_000;
  private static final int ANSWER_LIMIT = 4_096;

  private LiveProbe() {}

  /** One way to the probe Service. */
  record Target(Address address, int port) {
    @Override
    public String toString() {
      return address.isV4() ? address + ":" + port : "[" + address + "]:" + port;
    }
  }

  /** ClusterIPs, and the node port at one of this node's addresses of the family. */
  static List<Target> targets(List<ServicePort> ports, Set<Address> nodePortAddresses) {
    List<Target> targets = new ArrayList<>();
    for (ServicePort port : ports) {
      for (Frontend frontend : port.frontends()) {
        if (frontend.protocol() == Protocol.TCP && !port.backends().isEmpty()) {
          if (frontend.kind() == FrontendKind.CLUSTER_IP) {
            targets.add(new Target(frontend.address(), frontend.port()));
          } else if (frontend.kind() == FrontendKind.NODE_PORT) {
            nodePortAddresses.stream()
                .filter(address -> address.family() == port.id().family())
                .min(Address::compareTo)
                .ifPresent(a -> targets.add(new Target(a, frontend.port())));
          }
        }
      }
    }
    return targets;
  }

  /**
   * Probes all targets, one after another.
   *
   * @param nodes names of the nodes that may answer
   * @return what went wrong with the first target that failed, or null when all answered
   */
  static @Nullable String failure(List<Target> targets, Set<String> nodes) {
    for (Target target : targets) {
      try {
        String answer = ask(target);
        if (!nodes.contains(answer)) {
          return target
              + " answered \""
              + answer
              + "\", which is none of the nodes behind the probe Service.";
        }
      } catch (IOException e) {
        return target + " did not answer: " + e.getMessage() + ".";
      }
    }
    return null;
  }

  private static String ask(Target target) throws IOException {
    try (Socket socket = new Socket()) {
      socket.setSoTimeout(TIMEOUT_MILLIS);
      socket.connect(new InetSocketAddress(target.address().inet(), target.port()), TIMEOUT_MILLIS);
      String request = "GET " + PATH + " HTTP/1.0\r\nHost: " + target + "\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      return body(socket.getInputStream());
    }
  }

  private static String body(InputStream stream) throws IOException {
    String answer = new String(stream.readNBytes(ANSWER_LIMIT), StandardCharsets.UTF_8);
    int end = answer.indexOf("\r\n\r\n");
    String status = answer.lines().findFirst().orElse("nothing");
    if (end < 0 || !status.startsWith("HTTP/1.") || !status.contains(" 200 ")) {
      throw new IOException("it said \"" + status + "\" instead of 200");
    }
    return answer.substring(end + 4).strip();
  }
}
