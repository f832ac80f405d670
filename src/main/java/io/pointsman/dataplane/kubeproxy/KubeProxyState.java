// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.kubeproxy;

import io.pointsman.catalogue.Digest;
import io.pointsman.catalogue.DigestBuilder;
import io.pointsman.dataplane.KernelState;
import java.util.List;

/**
 * What a kube-proxy has in the kernel, decoded from the kernel alone.
 *
 * @param place which of the kernel's places it was read from, for a person
 * @param frontends none of a family in which no packet reaches them
 * @param defects what is wrong beyond single frontends, each a sentence
 * @param foreign what somebody else has put among kube-proxy's rules, each a sentence
 */
public record KubeProxyState(
    KubeProxyMode mode,
    String place,
    List<KubeProxyFrontend> frontends,
    List<String> defects,
    List<String> foreign)
    implements KernelState {
  /** Takes copies. */
  public KubeProxyState {
    frontends = List.copyOf(frontends);
    defects = List.copyOf(defects);
    foreign = List.copyOf(foreign);
  }

  @Override
  public Digest digest() {
    DigestBuilder sum = new DigestBuilder();
    for (KubeProxyFrontend frontend : frontends) {
      sum.frontend(frontend.address(), frontend.port(), frontend.protocol());
      frontend.outside().forEach(to -> sum.backend(to.address(), to.port()));
    }
    return sum.digest();
  }

  @Override
  public int frontendCount() {
    return frontends.size();
  }

  @Override
  public int backendCount() {
    return frontends.stream().mapToInt(frontend -> frontend.outside().size()).sum();
  }

  @Override
  public void forEach(Visitor visitor) {
    for (KubeProxyFrontend frontend : frontends) {
      visitor.frontend(
          frontend.address(), frontend.port(), frontend.protocol(), frontend.outside());
    }
  }
}
