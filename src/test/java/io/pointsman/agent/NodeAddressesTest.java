// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.AddressRange;
import io.pointsman.kernel.KernelSandbox;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NodeAddressesTest {
  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8,     10.255.0.1,   true",
    "10.0.0.0/8,     11.0.0.1,     false",
    "10.0.0.1,       10.0.0.1,     true",
    "10.0.0.1/32,    10.0.0.2,     false",
    "0.0.0.0/0,      203.0.113.9,  true",
    "0.0.0.0/0,      2001:db8::1,  false",
    "::/0,           2001:db8::1,  true",
    "::/0,           203.0.113.9,  false",
    "2001:db8::/33,  2001:db8:7fff::1, true",
    "2001:db8::/33,  2001:db8:8000::1, false",
    "fd00::/127,     fd00::1,      true",
    "fd00::/127,     fd00::2,      false"
  })
  void rangesContain(String range, String address, boolean contained) {
    assertThat(AddressRange.parse(range).contains(Address.parse(address))).isEqualTo(contained);
  }

  @ParameterizedTest
  @ValueSource(strings = {"10.0.0.0/33", "10.0.0/8", "fd00::/129", "x", "10.0.0.0/-1"})
  void wrongRangesAreRefused(String range) {
    assertThatThrownBy(() -> AddressRange.parse(range))
        .isInstanceOf(IllegalArgumentException.class);
  }

  /** As kube-proxy has it, a family that no range is of stays open. */
  @ParameterizedTest
  @CsvSource({
    "'',                                198.51.100.7 2001:db8::7",
    "198.51.100.0/24,                   198.51.100.7 2001:db8::7",
    "2001:db8::/32,                     198.51.100.7 2001:db8::7",
    "10.0.0.0/8,                        2001:db8::7",
    "fd00::/8,                          198.51.100.7",
    "198.51.100.0/24 100::/64,          198.51.100.7",
    "192.0.2.0/24 2001:db8::/32,        2001:db8::7",
    "10.0.0.0/8 198.51.100.7/32 ::/0,   198.51.100.7 2001:db8::7",
    "192.0.2.0/24 100::/64,             ''"
  })
  void addressesOfTheNodeWithoutLoopbackAndLinkLocal(String ranges, String answering) {
    try (KernelSandbox sandbox = new KernelSandbox()) {
      sandbox.ip("link", "add", "uplink", "type", "veth", "peer", "name", "other");
      sandbox.ip("addr", "add", "198.51.100.7/24", "dev", "uplink");
      sandbox.ip("addr", "add", "169.254.3.4/16", "dev", "uplink");
      sandbox.ip("addr", "add", "2001:db8::7/64", "dev", "uplink", "nodad");
      sandbox.ip("link", "set", "uplink", "up");
      sandbox.ip("link", "set", "other", "up");
      assertThat(sandbox.inNamespace(() -> NodeAddresses.ofNode(words(ranges))))
          .containsExactlyInAnyOrderElementsOf(
              words(answering).stream().map(Address::parse).toList());
    }
  }

  private static List<String> words(String text) {
    return text.isEmpty() ? List.of() : List.of(text.split(" ", -1));
  }
}
