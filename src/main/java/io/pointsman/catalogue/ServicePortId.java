// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

/**
 * Names one port of one Service in one family: the unit that has frontends and backends of its own.
 *
 * @param port the port's name, empty when it has none
 */
public record ServicePortId(
    String namespace, String service, String port, Protocol protocol, IpFamily family) {

  /**
   * As kube-proxy writes it: {@code namespace/service:port}, without the colon for an unnamed port.
   */
  public String text() {
    String name = namespace + "/" + service;
    return port.isEmpty() ? name : name + ":" + port;
  }
}
