// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What the threads of a JVM inside are at, for the other side, which asks by a file when it has
 * heard nothing for too long. No answer means that the kernel itself stands still.
 */
final class InnerStacks {
  /** What the other side makes to ask. */
  static final String QUESTION = "tell";

  /** What the answer is in. */
  static final String ANSWER = "stacks";

  private static final long POLL_MILLIS = 2_000;
  private static final int FRAMES = 8;

  private InnerStacks() {}

  /** Waits for the question, on a thread of its own, and answers it once. */
  static void answer(Path folder) {
    Thread.ofPlatform().daemon().name("stacks").start(() -> await(folder));
  }

  private static void await(Path folder) {
    try {
      while (!Files.exists(folder.resolve(QUESTION))) {
        Thread.sleep(POLL_MILLIS);
      }
      // The kernel's blocked tasks, into its log.
      Files.writeString(Path.of("/proc/sysrq-trigger"), "w");
      Files.writeString(folder.resolve(ANSWER), text());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A line for each thread that the JVM waits for, the innermost call first. */
  private static String text() {
    return Thread.getAllStackTraces().entrySet().stream()
        .filter(each -> !each.getKey().isDaemon())
        .map(InnerStacks::line)
        .sorted()
        .collect(Collectors.joining("\n"));
  }

  private static String line(Map.Entry<Thread, StackTraceElement[]> thread) {
    return Arrays.stream(thread.getValue())
        .limit(FRAMES)
        .map(call -> simple(call.getClassName()) + "." + call.getMethodName())
        .collect(Collectors.joining(" < ", thread.getKey().getName() + ": ", ""));
  }

  private static String simple(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }
}
