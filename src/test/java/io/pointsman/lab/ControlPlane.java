// SPDX-License-Identifier: Apache-2.0
package io.pointsman.lab;

import java.util.ArrayList;
import java.util.List;

/** etcd, API server, controller manager and scheduler, in the lab's own network namespace. */
final class ControlPlane {
  private static final String SERVER = "https://127.0.0.1:" + Addresses.API_PORT;
  private final LabState state;
  private final Namespaces namespaces;

  ControlPlane(LabState state, Namespaces namespaces) {
    this.state = state;
    this.namespaces = namespaces;
  }

  /**
   * Makes the bridge that nodes and client hang on. There is no way from it to the machine's
   * network.
   */
  void createNetwork() {
    namespaces.ip(
        "link set lo up",
        "link add br0 type bridge mcast_snooping 0",
        "addr add " + Addresses.CONTROL_PLANE_4 + "/24 dev br0",
        "addr add " + Addresses.CONTROL_PLANE_6 + "/64 dev br0 nodad",
        "link set br0 up");
    // What nobody has is answered "unreachable" at once instead of never.
    namespaces
        .exec(
            "sh",
            "-c",
            "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding;"
                + " for f in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $f ] || echo 0 > $f; done")
        .check();
  }

  /** Makes certificates and kubeconfig files. */
  void createCredentials() {
    var certificates = new Certificates(state.pki());
    certificates.createAuthority();
    certificates.rsaClient("admin", "/O=system:masters/CN=admin");
    kubeconfig(certificates, "admin", "https://127.0.0.1:" + state.port(), "kubeconfig");
    for (var name : List.of("kube-controller-manager", "kube-scheduler")) {
      certificates.client(name, "/CN=system:" + name);
      kubeconfig(certificates, name, SERVER, name + ".kubeconfig");
    }
  }

  private void kubeconfig(Certificates certificates, String user, String server, String file) {
    LabFolders.writeSecret(state.folder().resolve(file), certificates.kubeconfig(user, server));
  }

  /** Starts etcd and the API server, which answers some seconds later. */
  void start() {
    start(
        "etcd",
        "--name=lab",
        "--data-dir=" + state.folder().resolve("etcd"),
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        "--initial-cluster=lab=http://127.0.0.1:2380",
        "--unsafe-no-fsync",
        "--log-level=warn");
    startApiServer();
  }

  /** Starts what gives up when the API server does not answer within seconds. */
  void startControllers() {
    start(
        "kube-controller-manager",
        "--kubeconfig=" + state.folder().resolve("kube-controller-manager.kubeconfig"),
        "--use-service-account-credentials",
        "--service-account-private-key-file=" + pki("service-account.key"),
        "--root-ca-file=" + pki("ca.crt"),
        "--allocate-node-cidrs",
        "--cluster-cidr=" + Addresses.POD_CIDR_4 + "," + Addresses.POD_CIDR_6,
        "--service-cluster-ip-range=" + Addresses.SERVICE_CIDR_4 + "," + Addresses.SERVICE_CIDR_6,
        "--leader-elect=false");
    start(
        "kube-scheduler",
        "--kubeconfig=" + state.folder().resolve("kube-scheduler.kubeconfig"),
        "--leader-elect=false");
  }

  private void startApiServer() {
    start(
        "kube-apiserver",
        "--etcd-servers=http://127.0.0.1:2379",
        "--secure-port=" + Addresses.API_PORT,
        "--advertise-address=" + Addresses.CONTROL_PLANE_4,
        "--tls-cert-file=" + pki("apiserver.crt"),
        "--tls-private-key-file=" + pki("apiserver.key"),
        "--client-ca-file=" + pki("ca.crt"),
        "--kubelet-client-certificate=" + pki("apiserver-kubelet-client.crt"),
        "--kubelet-client-key=" + pki("apiserver-kubelet-client.key"),
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--service-account-key-file=" + pki("service-account.pub"),
        "--service-account-signing-key-file=" + pki("service-account.key"),
        "--service-cluster-ip-range=" + Addresses.SERVICE_CIDR_4 + "," + Addresses.SERVICE_CIDR_6,
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        // The API server reaches webhooks by pod address: it has no Service dataplane of its own.
        "--enable-aggregator-routing",
        "--allow-privileged");
  }

  private void start(String program, String... arguments) {
    var command = new ArrayList<>(List.of(program));
    command.addAll(List.of(arguments));
    namespaces.start(state.log(program), command);
  }

  private String pki(String name) {
    return state.pki().resolve(name).toString();
  }
}
