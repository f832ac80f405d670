// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.Protocol;

/** A frontend as the key of nat_fe sees it: without what it is for. */
record FrontendPlace(Address address, int port, Protocol protocol) {
  static FrontendPlace of(Frontend frontend) {
    return new FrontendPlace(frontend.address(), frontend.port(), frontend.protocol());
  }
}
