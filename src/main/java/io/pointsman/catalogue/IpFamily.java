// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

/** An IP family; each is balanced on its own, as in kube-proxy. */
public enum IpFamily {
  IPV4("IPv4"),
  IPV6("IPv6");

  private final String text;

  IpFamily(String text) {
    this.text = text;
  }

  /** As people write it. */
  public String text() {
    return text;
  }
}
