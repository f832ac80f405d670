// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Protocol;
import java.util.Locale;

/** Values as {@code nft -j} writes them (libnftables-json(5)). */
final class Json {
  private Json() {}

  static Address address(JsonNode value) {
    return Address.parse(value.asText());
  }

  /** A protocol by its name, or by its number where nft knows no name. */
  static int protocol(JsonNode value) {
    return value.isNumber()
        ? value.asInt()
        : Protocol.valueOf(value.asText().toUpperCase(Locale.ROOT)).number();
  }
}
