// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.ObjectKey;
import io.pointsman.catalogue.ServiceInput;
import io.pointsman.catalogue.SliceInput;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * What the watches and helpers have for the sync thread. Several events of one object are one;
 * nothing waits for anything but the sync thread.
 */
final class Inbox {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition filled = lock.newCondition();
  private Arrivals<ServiceInput> services = new Arrivals<>();
  private Arrivals<SliceInput> slices = new Arrivals<>();
  private List<Runnable> messages = new ArrayList<>();

  /** An object as it is now, or null when it is gone, and when the first news of it came. */
  record Arrival<T>(@Nullable T input, long nanos) {}

  /** The latest news of one kind of object. */
  static final class Arrivals<T> {
    private final Map<ObjectKey, Arrival<T>> latest = new LinkedHashMap<>();

    /** Everything that exists, when it was listed; what is not in it is gone. */
    private @Nullable Set<ObjectKey> listed;

    private void put(ObjectKey key, @Nullable T input) {
      Arrival<T> before = latest.get(key);
      latest.put(key, new Arrival<>(input, before == null ? System.nanoTime() : before.nanos()));
    }

    private void listed(Set<ObjectKey> all) {
      latest.keySet().retainAll(all);
      listed = all;
    }

    Map<ObjectKey, Arrival<T>> latest() {
      return latest;
    }

    @Nullable Set<ObjectKey> listed() {
      return listed;
    }

    private boolean isEmpty() {
      return latest.isEmpty() && listed == null;
    }
  }

  /** Everything that came since the last time. */
  record Batch(
      Arrivals<ServiceInput> services, Arrivals<SliceInput> slices, List<Runnable> messages) {}

  /** A Service is there, changed, or gone (null). */
  void service(ObjectKey key, @Nullable ServiceInput input) {
    put(() -> services.put(key, input));
  }

  /** These are all Services; called after each of them was put. */
  void servicesListed(Set<ObjectKey> all) {
    put(() -> services.listed(all));
  }

  /** A slice is there, changed, or gone (null). */
  void slice(ObjectKey key, @Nullable SliceInput input) {
    put(() -> slices.put(key, input));
  }

  /** These are all slices; called after each of them was put. */
  void slicesListed(Set<ObjectKey> all) {
    put(() -> slices.listed(all));
  }

  /** Runs something on the sync thread. */
  void post(Runnable message) {
    put(() -> messages.add(message));
  }

  /** Waits for something to come, at most so long, and takes all of it. */
  Batch take(long nanos) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long left = nanos;
      while (left > 0 && services.isEmpty() && slices.isEmpty() && messages.isEmpty()) {
        left = filled.awaitNanos(left);
      }
      Batch batch = new Batch(services, slices, messages);
      services = new Arrivals<>();
      slices = new Arrivals<>();
      messages = new ArrayList<>();
      return batch;
    } finally {
      lock.unlock();
    }
  }

  /** The longest time that {@link #take} may wait. */
  static long forever() {
    return TimeUnit.DAYS.toNanos(1);
  }

  private void put(Runnable change) {
    lock.lock();
    try {
      change.run();
      filled.signal();
    } finally {
      lock.unlock();
    }
  }
}
