// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class BpfObjectTest {
  private static final BpfObject.Options GOOD = BpfObject.Options.NONE.without(Set.of("refused"));
  private static final byte[] PACKET = new byte[64];

  private final KernelSandbox sandbox = new KernelSandbox();
  private final byte[] elf = BpfSources.compile("src/test/resources/bpf/probe.bpf.c");

  @AfterEach
  void close() {
    sandbox.close();
  }

  @Test
  void runsAProgramOnAPacket() {
    try (BpfObject object = BpfObject.open("probe", elf, GOOD)) {
      object.load();
      assertThat(object.programNames()).contains("classify", "connect", "refused");
      assertThat(object.mapNames()).contains("a_hash").noneMatch(name -> name.contains("rodata"));
      TestRun run = object.program("classify").testRun(PACKET, 3, SkbContext.at(1));
      assertThat(run.retval()).isZero();
      assertThat(run.data()).isEqualTo(PACKET);
      assertThat(run.context().mark()).isEqualTo(1001);
      assertThat(object.program("classify_other").testRun(PACKET, 1).retval()).isEqualTo(7);
      assertThat(object.program("classify").info().name()).isEqualTo("classify");
      assertThat(object.program("classify").info().tag()).hasSize(16);
    }
  }

  @Test
  void setsConstantsAndSizes() {
    byte[] two = ByteBuffer.allocate(4).order(ByteOrder.nativeOrder()).putInt(2).array();
    BpfObject.Options options =
        GOOD.withConstants(Map.of("verdict", two)).withMaxEntries(Map.of("a_hash", 77));
    try (BpfObject object = BpfObject.open("probe", elf, options)) {
      object.load();
      assertThat(object.program("classify").testRun(PACKET, 1).retval()).isEqualTo(2);
      assertThat(object.map("a_hash").maxEntries()).isEqualTo(77);
    }
    assertThatThrownBy(() -> BpfObject.open("probe", elf, GOOD.withConstants(Map.of("no", two))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no");
    assertThatThrownBy(() -> BpfObject.open("probe", elf, GOOD.withMaxEntries(Map.of("none", 1))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("has no map none");
  }

  @Test
  void carriesTheVerifiersWholeLog() {
    try (BpfObject object = BpfObject.open("probe", elf, BpfObject.Options.NONE)) {
      assertThatThrownBy(object::load)
          .isInstanceOfSatisfying(
              BpfException.class,
              e -> {
                assertThat(e.errno()).isEqualTo(Errno.EACCES);
                assertThat(e.object()).isEqualTo("probe");
                assertThat(e.verifierLog()).contains("map_value_or_null", "processed");
                assertThat(e).hasMessageContaining("map_value_or_null");
              });
    }
  }

  @Test
  void refusesWhatIsNoObject() {
    assertThatThrownBy(() -> BpfObject.open("junk", new byte[100], BpfObject.Options.NONE))
        .isInstanceOf(BpfException.class)
        .hasMessageContaining("open object junk");
  }

  @Test
  void reusesPinnedMapsThatFit() {
    BpfObject.Options pinned = GOOD.pinnedIn(sandbox.bpffs());
    try (Arena arena = Arena.ofConfined();
        BpfObject first = BpfObject.open("probe", elf, pinned)) {
      first.load();
      var key = arena.allocateFrom(ValueLayout.JAVA_LONG, 5L);
      first.map("a_hash").update(key, arena.allocate(16, 8));
      try (BpfObject second = BpfObject.open("probe", elf, pinned);
          BpfMap byPin = BpfMap.openPinned(sandbox.bpffs().resolve("a_hash"))) {
        second.load();
        assertThat(second.map("a_hash").info()).isEqualTo(first.map("a_hash").info());
        assertThat(byPin.info()).isEqualTo(first.map("a_hash").info());
        assertThat(byPin.lookup(key, arena.allocate(16, 8))).isTrue();
      }
    }
    assertThat(sandbox.bpffs()).isDirectoryNotContaining("glob:**rodata");
  }

  @Test
  void namesWhatDoesNotFitInAPinnedMap() {
    BpfObject.Options pinned = GOOD.pinnedIn(sandbox.bpffs());
    try (BpfObject first = BpfObject.open("probe", elf, pinned);
        BpfObject second =
            BpfObject.open("probe", elf, pinned.withMaxEntries(Map.of("a_hash", 2000)))) {
      first.load();
      assertThatThrownBy(second::load)
          .isInstanceOf(BpfException.class)
          .hasMessageContaining(sandbox.bpffs().resolve("a_hash").toString())
          .hasMessageContaining("max entries is 1000 there and 2000 here");
    }
  }

  @Test
  void sharesMapsBetweenObjectsWithoutPins() {
    try (BpfObject first = BpfObject.open("probe", elf, GOOD)) {
      first.load();
      Map<String, BpfMap> shared = Map.of("a_hash", first.map("a_hash"));
      try (BpfObject second = BpfObject.open("probe", elf, GOOD.reusing(shared))) {
        second.load();
        assertThat(second.map("a_hash").info().id()).isEqualTo(first.map("a_hash").info().id());
      }
    }
  }

  @Test
  void saysThatAPinIsMissing() {
    assertThatThrownBy(() -> BpfMap.openPinned(sandbox.bpffs().resolve("nothing")))
        .isInstanceOfSatisfying(
            BpfException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
    assertThat(Files.exists(sandbox.bpffs().resolve("nothing"))).isFalse();
  }
}
