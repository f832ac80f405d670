// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.ExpectedPort;
import io.pointsman.catalogue.KubeProxyView;
import io.pointsman.catalogue.Protocol;
import io.pointsman.dataplane.kubeproxy.KubeProxySource;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import io.pointsman.verify.kubeproxy.Difference;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import io.pointsman.verify.kubeproxy.KubeProxyVerifier;
import io.pointsman.verify.kubeproxy.Settling;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Looks again and again whether kube-proxy's rules serve every Service. One look is made at a time;
 * what it has found is read by others after it.
 */
final class KubeProxyCheck {
  private static final int SAMPLES = 3;

  /** Of the time, looking takes one part in so many and one. */
  private static final int REST = 4;

  /** A node that looks slowly is slow, and so is its kube-proxy: so many looks' time it gets. */
  private static final int LOOKS = 15;

  /** The catalogue has no ports of other protocols. */
  private static final Set<Protocol> COMPARED = EnumSet.of(Protocol.TCP, Protocol.UDP);

  private final Duration window;
  private final LongSupplier clock;
  private Settling settling;
  private Settling.State state = Settling.State.WAITING;
  private @Nullable KubeProxyVerdict verdict;
  private @Nullable List<KubeProxyState> rules;
  private volatile long pauseNanos;

  /** A check in which a difference may last for so long before it counts. */
  KubeProxyCheck(Duration window, LongSupplier clock) {
    this.window = window;
    this.clock = clock;
    this.settling = new Settling(window.toNanos());
  }

  /**
   * How long kube-proxy may take to follow. Its pod on this node may be new, as with a node that
   * has just joined, and then it lists all Services and writes all rules first.
   */
  static Duration window(int servicePorts) {
    return Duration.ofSeconds(60).plusMillis(30L * servicePorts);
  }

  /** What a kube-proxy must serve on the catalogue's node. */
  static List<ExpectedPort> expected(Catalogue catalogue) {
    KubeProxyView view = new KubeProxyView(catalogue.nodeName(), Optional.empty());
    List<ExpectedPort> expected = new ArrayList<>();
    catalogue.forEachService((service, slices) -> expected.addAll(view.ports(service, slices)));
    return expected;
  }

  /** Null when every Service is served, else what is not, in words. */
  @Nullable String look(KubeProxySource kernel, List<ExpectedPort> expected) {
    long begun = clock.getAsLong();
    List<KubeProxyState> read = kernel.read();
    KubeProxyVerdict seen = new KubeProxyVerifier(expected, COMPARED).verify(read);
    long took = clock.getAsLong() - begun;
    pauseNanos = REST * took;
    settling.stretch(LOOKS * took);
    verdict = seen;
    rules = read;
    state = settling.add(seen.failures(), clock.getAsLong());
    Set<Difference> lasting = settling.lasting();
    if (state == Settling.State.LASTING) {
      // What has come since is looked at from here on.
      settling = new Settling(window.toNanos());
      settling.add(seen.failures(), clock.getAsLong());
    }
    return state == Settling.State.SETTLED ? null : sentence(inOrder(seen, lasting));
  }

  /** How long to wait before the next look: what is read takes kube-proxy time that it needs. */
  long pauseNanos() {
    return pauseNanos;
  }

  /** Whether something was there at every look of a whole window. */
  boolean lasts() {
    return state == Settling.State.LASTING;
  }

  /** What the last look has found; null before the first. */
  @Nullable KubeProxyVerdict verdict() {
    return verdict;
  }

  /** What the last look has read; null before the first. */
  @Nullable List<KubeProxyState> rules() {
    return rules;
  }

  private static Set<Difference> inOrder(KubeProxyVerdict seen, Set<Difference> wanted) {
    Set<Difference> sorted = new LinkedHashSet<>(seen.failures());
    sorted.retainAll(wanted);
    return sorted;
  }

  /** The first few of them. */
  static String sentence(Set<Difference> differences) {
    String first =
        differences.stream().limit(SAMPLES).map(Difference::text).collect(Collectors.joining(" "));
    int more = differences.size() - SAMPLES;
    return more > 0 ? first + " And " + more + " more." : first;
  }
}
