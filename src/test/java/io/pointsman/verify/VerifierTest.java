// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Digest;
import io.pointsman.catalogue.DigestBuilder;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.KernelState.BackendAddress;
import io.pointsman.dataplane.NumberedServices;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VerifierTest {
  private static final Address VIP = Address.parse("10.96.0.1");
  private static final BackendAddress FIRST = backend("10.244.0.5");
  private static final BackendAddress SECOND = backend("10.244.0.6");

  private final Kernel kernel = new Kernel();
  private final DesiredState desired =
      desired(
          port("web", new Frontend(VIP, 80, Protocol.TCP, FrontendKind.CLUSTER_IP)),
          port("dns", new Frontend(Address.ANY_V6, 30053, Protocol.UDP, FrontendKind.NODE_PORT)));

  @Test
  void equalStatesAreProven() {
    kernel.has(VIP, 80, 6, FIRST, SECOND).has(Address.ANY_V6, 30053, 17, SECOND, FIRST);
    assertThat(Verifier.verify(desired, kernel)).isSameAs(Verdict.PROVEN);
    assertThat(kernel.visits).as("equal digests need no second look").isZero();
  }

  @Test
  void aMissingFrontendIsNamed() {
    kernel.has(VIP, 80, 6, FIRST, SECOND);
    Verdict verdict = Verifier.verify(desired, kernel);
    assertThat(verdict.missing()).isEqualTo(1);
    assertThat(verdict.mismatches()).isEqualTo(1);
    assertThat(verdict.samples())
        .containsExactly("default/dns:p: IPv6 node port 30053/UDP is missing in the kernel.");
  }

  @Test
  void aStaleFrontendIsNamed() {
    kernel
        .has(VIP, 80, 6, FIRST, SECOND)
        .has(Address.ANY_V6, 30053, 17, FIRST, SECOND)
        .has(Address.parse("fd00::9"), 81, 6);
    Verdict verdict = Verifier.verify(desired, kernel);
    assertThat(verdict.stale()).isEqualTo(1);
    assertThat(verdict.samples())
        .containsExactly("[fd00::9]:81/TCP is in the kernel but belongs to no Service.");
  }

  @Test
  void wrongBackendsAreNamed() {
    kernel
        .has(VIP, 80, 6, FIRST, backend("10.9.9.9"), backend("10.9.9.8"))
        .has(Address.ANY_V6, 30053, 17, FIRST);
    Verdict verdict = Verifier.verify(desired, kernel);
    assertThat(verdict.wrong()).isEqualTo(2);
    assertThat(verdict.samples())
        .containsExactly(
            "default/web:p: 10.96.0.1:80/TCP lacks the backend 10.244.0.6:8080 and"
                + " has the foreign or repeated backend 10.9.9.9:8080 and 1 more.",
            "default/dns:p: IPv6 node port 30053/UDP lacks the backend 10.244.0.6:8080.");
  }

  @Test
  void aBackendThatStandsTwiceIsWrong() {
    kernel.has(VIP, 80, 6, FIRST, SECOND, SECOND).has(Address.ANY_V6, 30053, 17, FIRST, SECOND);
    assertThat(Verifier.verify(desired, kernel).wrong()).isEqualTo(1);
  }

  @Test
  void aDefectAloneIsEnough() {
    kernel.has(VIP, 80, 6, FIRST, SECOND).has(Address.ANY_V6, 30053, 17, FIRST, SECOND);
    kernel.defects.add("Program connect4 is not attached.");
    Verdict verdict = Verifier.verify(desired, kernel);
    assertThat(verdict.proven()).isFalse();
    assertThat(verdict.defects()).isEqualTo(1);
    assertThat(verdict.samples()).containsExactly("Program connect4 is not attached.");
  }

  @Test
  void samplesAreBoundedAndCountsAreNot() {
    for (int port = 1; port <= 50; port++) {
      kernel.has(VIP, 1000 + port, 6);
    }
    Verdict verdict = Verifier.verify(desired, kernel);
    assertThat(verdict.stale()).isEqualTo(50);
    assertThat(verdict.missing()).isEqualTo(2);
    assertThat(verdict.samples()).hasSize(Verdict.MAX_SAMPLES);
  }

  private static BackendAddress backend(String address) {
    return new BackendAddress(Address.parse(address), 8080);
  }

  private static ServicePort port(String service, Frontend frontend) {
    return new ServicePort(
        new ServicePortId("default", service, "p", frontend.protocol(), IpFamily.IPV4),
        List.of(frontend),
        List.of(
            new Backend(FIRST.address(), FIRST.port(), true),
            new Backend(SECOND.address(), SECOND.port(), false)));
  }

  private static DesiredState desired(ServicePort... ports) {
    return NumberedServices.desired(List.of(ports), Set.of());
  }

  /** A kernel that holds what a test puts into it. */
  private static final class Kernel implements KernelState {
    private final List<Entry> entries = new ArrayList<>();
    private final List<String> defects = new ArrayList<>();
    private int visits;

    private record Entry(Address address, int port, int protocol, List<BackendAddress> backends) {}

    Kernel has(Address address, int port, int protocol, BackendAddress... backends) {
      entries.add(new Entry(address, port, protocol, List.of(backends)));
      return this;
    }

    @Override
    public Digest digest() {
      DigestBuilder sum = new DigestBuilder();
      for (Entry entry : entries) {
        sum.frontend(entry.address, entry.port, entry.protocol);
        entry.backends.forEach(backend -> sum.backend(backend.address(), backend.port()));
      }
      return sum.digest();
    }

    @Override
    public int frontendCount() {
      return entries.size();
    }

    @Override
    public int backendCount() {
      return entries.stream().mapToInt(entry -> entry.backends.size()).sum();
    }

    @Override
    public void forEach(Visitor visitor) {
      visits++;
      entries.forEach(e -> visitor.frontend(e.address, e.port, e.protocol, e.backends));
    }

    @Override
    public List<String> defects() {
      return defects;
    }
  }
}
