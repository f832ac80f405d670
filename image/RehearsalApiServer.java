// SPDX-License-Identifier: Apache-2.0

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/**
 * Stands in for an API server while the image is built, so that the rehearsal that fills the AOT
 * cache takes the ways that a start in a cluster takes: TLS, lists, watches, writes. It knows one
 * node, a few Services and one ProxyDataplane, and agrees with whatever is written.
 *
 * <p>Usage: java RehearsalApiServer.java PORT KEYSTORE (PKCS12, password "rehearsal").
 */
final class RehearsalApiServer {
  private static final char[] PASSWORD = "rehearsal".toCharArray();
  private static final String META = "\"uid\":\"7c1f\",\"resourceVersion\":\"1\",\"generation\":1";

  private static final String ALLOWED =
      "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectRulesReview\",\"status\":{"
          + "\"resourceRules\":[{\"verbs\":[\"*\"],\"apiGroups\":[\"*\"],\"resources\":[\"*\"]}]}}";

  public static void main(String[] arguments) throws IOException, GeneralSecurityException {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = new FileInputStream(arguments[1])) {
      keys.load(in, PASSWORD);
    }
    KeyManagerFactory managers = KeyManagerFactory.getInstance("PKIX");
    managers.init(keys, PASSWORD);
    SSLContext tls = SSLContext.getInstance("TLS");
    tls.init(managers.getKeyManagers(), null, null);
    var server = tls.getServerSocketFactory().createServerSocket(Integer.parseInt(arguments[0]));
    while (true) {
      var socket = server.accept();
      Thread.ofVirtual()
          .start(
              () -> {
                try (socket) {
                  serve(new BufferedInputStream(socket.getInputStream()), socket.getOutputStream());
                } catch (IOException | GeneralSecurityException | InterruptedException gone) {
                  // The client closes when it has what it wants.
                }
              });
    }
  }

  private static void serve(InputStream in, OutputStream out)
      throws IOException, GeneralSecurityException, InterruptedException {
    for (String first = line(in); !first.isEmpty(); first = line(in)) {
      Map<String, String> headers = new HashMap<>();
      for (String line = line(in); !line.isEmpty(); line = line(in)) {
        int colon = line.indexOf(':');
        headers.put(
            line.substring(0, colon).toLowerCase(Locale.ROOT), line.substring(colon + 1).strip());
      }
      String[] parts = first.split(" ");
      String path = parts[1].replaceAll("\\?.*", "");
      if (headers.containsKey("sec-websocket-key")) {
        watch(out, headers.get("sec-websocket-key"), path);
        return;
      }
      answer(out, parts[0], path, body(in, headers));
    }
  }

  private static String line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (int b = in.read(); b >= 0 && b != '\n'; b = in.read()) {
      if (b != '\r') {
        line.write(b);
      }
    }
    return line.toString(StandardCharsets.UTF_8);
  }

  private static String body(InputStream in, Map<String, String> headers) throws IOException {
    if (!"chunked".equals(headers.get("transfer-encoding"))) {
      int length = Integer.parseInt(headers.getOrDefault("content-length", "0"));
      return new String(in.readNBytes(length), StandardCharsets.UTF_8);
    }
    StringBuilder body = new StringBuilder();
    for (int size = Integer.parseInt(line(in), 16); size > 0; size = Integer.parseInt(line(in), 16)) {
      body.append(new String(in.readNBytes(size), StandardCharsets.UTF_8));
      line(in);
    }
    line(in);
    return body.toString();
  }

  private static void answer(OutputStream out, String method, String path, String body)
      throws IOException {
    String answer =
        switch (method) {
          case "GET" -> read(path);
          case "DELETE" -> "{}";
          default -> path.endsWith("/selfsubjectrulesreviews") ? ALLOWED : stored(path, body);
        };
    String status = answer.isEmpty() ? "404 Not Found" : "200 OK";
    if (answer.isEmpty()) {
      answer = "{\"kind\":\"Status\",\"status\":\"Failure\",\"reason\":\"NotFound\",\"code\":404}";
    }
    byte[] bytes = answer.getBytes(StandardCharsets.UTF_8);
    String head =
        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            .formatted(status, bytes.length);
    out.write(head.getBytes(StandardCharsets.UTF_8));
    out.write(bytes);
    out.flush();
  }

  private static String stored(String path, String body) {
    String known = read(path.replaceAll("/status$", ""));
    if (!known.isEmpty() && !known.contains("\"items\"")) {
      return known.replace("\"resourceVersion\":\"1\"", "\"resourceVersion\":\"3\"");
    }
    return body.contains("resourceVersion")
        ? body
        : body.replaceFirst(
            "\"metadata\":\\{", "\"metadata\":{\"resourceVersion\":\"3\",\"uid\":\"7c1f\",\"generation\":1,");
  }

  /** A watch (RFC 6455): what there is changes once, then nothing happens. */
  private static void watch(OutputStream out, String key, String path)
      throws IOException, GeneralSecurityException, InterruptedException {
    byte[] hash =
        MessageDigest.getInstance("SHA-1")
            .digest((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").getBytes(StandardCharsets.UTF_8));
    String head =
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Accept: "
            + Base64.getEncoder().encodeToString(hash)
            + "\r\n\r\n";
    out.write(head.getBytes(StandardCharsets.UTF_8));
    out.flush();
    Thread.sleep(300);
    for (String item : items(resource(path))) {
      String event = "{\"type\":\"MODIFIED\",\"object\":" + item.replace("\"1\"", "\"2\"") + "}";
      byte[] bytes = event.getBytes(StandardCharsets.UTF_8);
      out.write(new byte[] {(byte) 0x81, 126, (byte) (bytes.length >> 8), (byte) bytes.length});
      out.write(bytes);
      out.flush();
    }
    Thread.sleep(60_000);
  }

  private static String resource(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  private static String read(String path) {
    String last = resource(path);
    if (path.matches("/version")) {
      return "{\"major\":\"1\",\"minor\":\"36\"}";
    }
    if (path.matches("/apis?/(v1|[a-z.0-9]+/v[a-z0-9]+)(/namespaces/[^/]+)?/[a-z]+")) {
      return "{\"metadata\":{\"resourceVersion\":\"1\"},\"items\":["
          + String.join(",", items(last))
          + "]}";
    }
    String kind = path.replaceAll("/[^/]+$", "").replaceAll(".*/", "");
    return String.join("", items(kind).length == 1 ? items(kind)[0] : "");
  }

  private static String[] items(String resource) {
    return switch (resource) {
      case "services" -> new String[] {service("web", "10.96.0.10"), service("api", "10.96.0.11")};
      case "endpointslices" -> new String[] {slice("web"), slice("api")};
      case "nodes" ->
          new String[] {
            item(
                "v1",
                "Node",
                "node-1",
                "",
                "\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"10.0.0.1\"}]}")
          };
      case "proxydataplanes" ->
          new String[] {
            item(
                "pointsman.io/v1alpha1",
                "ProxyDataplane",
                "default",
                "",
                "\"spec\":{\"linuxDataplane\":\"BPF\"}")
          };
      case "nodedataplanes" ->
          new String[] {
            item(
                "pointsman.io/v1alpha1",
                "NodeDataplane",
                "node-1",
                "",
                "\"spec\":{\"proxyDataplane\":\"default\",\"linuxDataplane\":\"BPF\",\"step\":\"Prepare\"}")
          };
      default -> new String[0];
    };
  }

  private static String service(String name, String address) {
    String spec =
        "\"spec\":{\"type\":\"NodePort\",\"clusterIP\":\"%s\",\"clusterIPs\":[\"%s\"],"
            + "\"ipFamilies\":[\"IPv4\"],\"ports\":[{\"name\":\"http\",\"port\":80,\"nodePort\":30080,"
            + "\"protocol\":\"TCP\",\"targetPort\":8080}]}";
    return item("v1", "Service", name, "default", spec.formatted(address, address));
  }

  private static String slice(String service) {
    String rest =
        "\"addressType\":\"IPv4\",\"endpoints\":[{\"addresses\":[\"10.244.0.5\"],"
            + "\"conditions\":{\"ready\":true,\"serving\":true},\"nodeName\":\"node-1\"}],"
            + "\"ports\":[{\"name\":\"http\",\"port\":8080,\"protocol\":\"TCP\"}]";
    return "{\"apiVersion\":\"discovery.k8s.io/v1\",\"kind\":\"EndpointSlice\",\"metadata\":{\"name\":\"%s-1\",\"namespace\":\"default\",\"labels\":{\"kubernetes.io/service-name\":\"%s\"},%s},%s}"
        .formatted(service, service, META, rest);
  }

  private static String item(
      String version, String kind, String name, String namespace, String rest) {
    String where = namespace.isEmpty() ? "" : "\"namespace\":\"" + namespace + "\",";
    return "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\",%s%s},%s}"
        .formatted(version, kind, name, where, META, rest);
  }
}
