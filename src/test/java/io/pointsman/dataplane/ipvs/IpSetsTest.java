// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.IpFamily;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.kernel.KernelSandbox;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** How many entries sets have room for: a kube-proxy that comes back fails on another number. */
@Execution(ExecutionMode.CONCURRENT)
class IpSetsTest {
  /** kube-proxy's maxelem. */
  private static final int LIMIT = 65_536;

  private static final String NAME = SetName.CLUSTER_IP.text(IpFamily.IPV4);

  private final KernelSandbox node = new KernelSandbox();
  private final IpSets sets = new IpSets(new CommandRunner(), List.of(IpFamily.IPV4));

  @AfterEach
  void close() {
    node.close();
  }

  @Test
  void theirRoomIsKubeProxysAsLongAsThatIsEnough() {
    node.runInNamespace(
        () -> {
          hold(entries(0, LIMIT / 2), LIMIT);
          hold(entries(0, LIMIT), LIMIT);
        });
  }

  @Test
  void theyGrowBeyondItAndComeBack() {
    node.runInNamespace(
        () -> {
          hold(entries(0, LIMIT), LIMIT);
          hold(entries(0, LIMIT + 1), 1 << 24);
          hold(entries(0, 10), 1 << 24);
          hold(entries(0, 10), LIMIT);
        });
  }

  /** What is new comes before what is old goes. */
  @Test
  void theyHaveRoomForWhatGoesAndForWhatComes() {
    node.runInNamespace(
        () -> {
          hold(entries(0, 40_000), LIMIT);
          hold(entries(40_000, 40_000), 1 << 24);
        });
  }

  private void hold(Set<SetEntry> wanted, int room) {
    IpSets.Read before = sets.read();
    sets.create(before, wanted);
    assertThat(sets.read().entries()).as("what was there stays").isEqualTo(before.entries());
    Set<SetEntry> missing = new HashSet<>(wanted);
    missing.removeAll(before.entries());
    sets.add(missing);
    Set<SetEntry> surplus = new HashSet<>(before.entries());
    surplus.removeAll(wanted);
    sets.delete(surplus);
    IpSets.Read after = sets.read();
    assertThat(after.entries()).isEqualTo(wanted);
    assertThat(after.limits()).containsEntry(NAME, room);
    assertThat(after.defects()).hasSize(room > LIMIT && wanted.size() <= LIMIT ? 1 : 0);
    assertThat(sets.names()).noneMatch(name -> name.startsWith("POINTSMAN-0"));
  }

  private static Set<SetEntry> entries(int first, int count) {
    return IntStream.range(first, first + count)
        .mapToObj(i -> "10.%d.%d.%d,tcp:80".formatted(i >> 16 & 255, i >> 8 & 255, i & 255))
        .map(text -> new SetEntry(SetName.CLUSTER_IP, IpFamily.IPV4, text))
        .collect(Collectors.toSet());
  }
}
