// SPDX-License-Identifier: Apache-2.0
package io.pointsman.kernel;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Does the same to several things at a time, where it is waiting for programs most of the time.
 * Each has a thread that the caller starts, and so is in the caller's network namespace.
 */
public final class Together {
  private static final Executor THREADS =
      task -> Thread.ofPlatform().daemon().name("together").start(task);

  private Together() {}

  /**
   * The results in the order of the things, when all have ended; the first failure is thrown then,
   * and carries the others.
   */
  public static <T, R> List<R> each(Collection<T> things, Function<T, R> action) {
    List<CompletableFuture<R>> running = new ArrayList<>();
    for (T thing : things) {
      running.add(CompletableFuture.supplyAsync(() -> action.apply(thing), THREADS));
    }
    List<R> results = new ArrayList<>();
    List<RuntimeException> failures = new ArrayList<>();
    for (CompletableFuture<R> one : running) {
      try {
        results.add(one.join());
      } catch (CompletionException e) {
        failures.add(e.getCause() instanceof RuntimeException cause ? cause : e);
      }
    }
    if (!failures.isEmpty()) {
      RuntimeException first = failures.removeFirst();
      failures.forEach(first::addSuppressed);
      throw first;
    }
    return results;
  }

  /** The same without results. */
  public static <T> void run(Collection<T> things, Consumer<T> action) {
    List<Boolean> unused =
        each(
            things,
            thing -> {
              action.accept(thing);
              return true;
            });
  }
}
