// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class AddressTest {
  @ParameterizedTest
  @CsvSource({
    "10.96.0.1,        10.96.0.1,           true",
    "::ffff:10.96.0.1, 10.96.0.1,           true",
    "fd00::1,          fd00::1,  false",
    "0.0.0.0,          0.0.0.0,             true",
    "::,               ::,     false"
  })
  void literalsAreRead(String text, String read, boolean v4) {
    Address address = Address.parse(text);
    assertThat(address).hasToString(read);
    assertThat(address.isV4()).isEqualTo(v4);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "10.1", "10.0.0", "168427520", "10.0.0.256", "fe80::1%1", "web", "1::2::3"})
  void everythingElseIsRefused(String text) {
    assertThatThrownBy(() -> Address.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
