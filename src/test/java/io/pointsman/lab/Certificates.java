// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.nio.file.Path;
import java.util.List;

/** The lab's certificate authority and what it signed, by openssl, in one folder. */
final class Certificates {
  private static final String DAYS = "3650";
  private final Path folder;

  Certificates(Path folder) {
    this.folder = folder;
  }

  /** Makes the authority, the API server's certificates and the key of service account tokens. */
  void createAuthority() {
    LabFolders.create(folder);
    key("ca", "EC");
    openssl(
        "req",
        "-x509",
        "-new",
        "-key",
        file("ca.key"),
        "-subj",
        "/CN=lab",
        "-days",
        DAYS,
        "-out",
        file("ca.crt"));
    key("service-account", "EC");
    openssl(
        "pkey", "-in", file("service-account.key"), "-pubout", "-out", file("service-account.pub"));
    var names =
        "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,"
            + "DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:"
            + String.join(
                ",IP:",
                Addresses.CONTROL_PLANE_4,
                Addresses.CONTROL_PLANE_6,
                Addresses.API_SERVICE_4,
                Addresses.API_SERVICE_6);
    sign("apiserver", "EC", "/CN=kube-apiserver", "serverAuth", "subjectAltName=" + names);
    client("apiserver-kubelet-client", "/O=system:masters/CN=kube-apiserver-kubelet-client");
  }

  /** Makes a client certificate NAME.crt with NAME.key; {@code subject} as openssl writes it. */
  void client(String name, String subject) {
    sign(name, "EC", subject, "clientAuth", "keyUsage=digitalSignature");
  }

  /** As {@link #client} with an RSA key, which every Kubernetes client library reads. */
  void rsaClient(String name, String subject) {
    sign(name, "RSA", subject, "clientAuth", "keyUsage=digitalSignature");
  }

  /** The text of a kubeconfig for {@code server} with the client certificate of that name. */
  String kubeconfig(String name, String server) {
    return """
    apiVersion: v1
    kind: Config
    current-context: lab
    contexts: [{name: lab, context: {cluster: lab, namespace: default, user: %s}}]
    clusters: [{name: lab, cluster: {server: "%s", certificate-authority-data: %s}}]
    users: [{name: %s, user: {client-certificate-data: %s, client-key-data: %s}}]
    """
        .formatted(
            name, server, encoded("ca.crt"), name, encoded(name + ".crt"), encoded(name + ".key"));
  }

  private void sign(String name, String algorithm, String subject, String usage, String extension) {
    key(name, algorithm);
    LabFolders.write(
        folder.resolve(name + ".ext"), "extendedKeyUsage=%s\n%s\n".formatted(usage, extension));
    openssl(
        "req", "-new", "-key", file(name + ".key"), "-subj", subject, "-out", file(name + ".csr"));
    openssl(
        "x509",
        "-req",
        "-in",
        file(name + ".csr"),
        "-CA",
        file("ca.crt"),
        "-CAkey",
        file("ca.key"),
        "-set_serial",
        "0x" + Long.toHexString(System.nanoTime()),
        "-days",
        DAYS,
        "-extfile",
        file(name + ".ext"),
        "-out",
        file(name + ".crt"));
  }

  private void key(String name, String algorithm) {
    var option = algorithm.equals("RSA") ? "rsa_keygen_bits:2048" : "ec_paramgen_curve:P-256";
    openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", file(name + ".key"));
  }

  private String encoded(String name) {
    return java.util.Base64.getEncoder()
        .encodeToString(
            (LabFolders.read(folder.resolve(name)) + "\n")
                .getBytes(java.nio.charset.StandardCharsets.US_ASCII));
  }

  private String file(String name) {
    return folder.resolve(name).toString();
  }

  private static void openssl(String... arguments) {
    var command = new java.util.ArrayList<>(List.of("openssl"));
    command.addAll(List.of(arguments));
    Command.run(command).check();
  }
}
