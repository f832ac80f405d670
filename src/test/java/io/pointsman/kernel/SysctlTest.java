// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SysctlTest {
  private final KernelSandbox sandbox = new KernelSandbox();

  @AfterEach
  void close() {
    sandbox.close();
  }

  /** The kernel gives a number only to the first read, however few bytes that takes. */
  @ParameterizedTest
  @CsvSource({
    "net.ipv4.ip_forward, 1",
    "net.netfilter.nf_conntrack_udp_timeout_stream, 123",
    "net.ipv4.ip_local_reserved_ports, '30000-32767,40000'",
  })
  void readsAllOfWhatWasSet(String name, String value) {
    var setting = new Sysctl(name);
    assertThat(sandbox.inNamespace(() -> setting.set(value))).isTrue();
    assertThat(sandbox.inNamespace(setting::value)).isEqualTo(value);
  }

  @Test
  void readsAllNumbersOfOneSetting() {
    var ports = new Sysctl("net.ipv4.ip_local_port_range");
    assertThat(sandbox.inNamespace(() -> ports.set("20000 29999"))).isTrue();
    assertThat(sandbox.inNamespace(ports::value)).isEqualTo("20000\t29999");
  }

  @Test
  void aSettingThatIsNotThereHasNoValue() {
    var none = new Sysctl("net.ipv4.no_such_setting");
    assertThat(none.value()).isNull();
    assertThat(none.set("1")).isFalse();
  }
}
