// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

/** An IP family; each is balanced on its own, as in kube-proxy. */
public enum IpFamily {
  IPV4,
  IPV6
}
