// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class TogetherTest {
  @Test
  void allRunAtATimeAndAnswerInOrder() {
    CyclicBarrier all = new CyclicBarrier(3);

    List<Integer> lengths =
        Together.each(
            List.of("a", "bb", "ccc"),
            text -> {
              await(all);
              return text.length();
            });

    assertThat(lengths).containsExactly(1, 2, 3);
  }

  @Test
  void theFirstFailureIsThrownWhenAllHaveEnded() {
    AtomicInteger ended = new AtomicInteger();

    assertThatThrownBy(
            () ->
                Together.run(
                    List.of("first", "second", "third"),
                    text -> {
                      ended.incrementAndGet();
                      if (!text.equals("second")) {
                        throw new IllegalStateException(text);
                      }
                    }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("first")
        .satisfies(failure -> assertThat(failure.getSuppressed()[0]).hasMessage("third"));
    assertThat(ended).hasValue(3);
  }

  @Test
  void theyAreInTheCallersNetworkNamespace() {
    Path here = networkNamespace();
    try (KernelSandbox sandbox = new KernelSandbox()) {
      List<Path> seen =
          sandbox.inNamespace(() -> Together.each(List.of(1, 2), one -> networkNamespace()));

      assertThat(seen).containsOnly(sandbox.inNamespace(TogetherTest::networkNamespace));
      assertThat(seen).doesNotContain(here);
    }
  }

  private static Path networkNamespace() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/thread-self/ns/net"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void await(CyclicBarrier all) {
    try {
      int unused = all.await();
    } catch (InterruptedException | BrokenBarrierException e) {
      throw new IllegalStateException(e);
    }
  }
}
