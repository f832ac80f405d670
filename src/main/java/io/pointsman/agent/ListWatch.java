// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.pointsman.catalogue.ObjectKey;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/**
 * Follows one kind of object: lists it page by page, then watches it, and lists anew when the
 * server has forgotten where the watch was. Keeps no object itself, so memory holds only what the
 * sink makes of them. An unreachable server is tried for ever.
 */
final class ListWatch<T extends HasMetadata> implements AutoCloseable {
  private static final Logger LOG = Logger.getLogger(ListWatch.class);
  private static final long PAGE = 500;
  private static final long WATCH_SECONDS = 600;

  /** A server that has nothing to say sends a bookmark about once a minute. */
  private static final Duration SILENCE = Duration.ofMinutes(3);

  private static final long MAX_BACKOFF_MILLIS = 30_000;
  private static final long MIN_BACKOFF_MILLIS = 500;

  private final String name;
  private final FilterWatchListDeletable<T, ? extends KubernetesResourceList<T>, ?> source;
  private final ListOptions selectors;
  private final Sink<T> sink;
  private final Duration silence;
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Thread thread;
  private CompletableFuture<Void> watchEnded = new CompletableFuture<>();

  /** Receives objects; called by one thread at a time. */
  interface Sink<T> {
    /** The object is there or has changed. */
    void changed(T object);

    /** The object is gone. */
    void deleted(T object);

    /** These are all, and each of them was handed to {@link #changed}. */
    void listed(Set<ObjectKey> all);
  }

  /**
   * Prepares to follow.
   *
   * @param selectors label and field selectors; the rest is set here
   */
  ListWatch(
      String name,
      FilterWatchListDeletable<T, ? extends KubernetesResourceList<T>, ?> source,
      ListOptions selectors,
      Sink<T> sink) {
    this(name, source, selectors, sink, SILENCE);
  }

  /** The same with another time after which a silent watch counts as dead. */
  ListWatch(
      String name,
      FilterWatchListDeletable<T, ? extends KubernetesResourceList<T>, ?> source,
      ListOptions selectors,
      Sink<T> sink,
      Duration silence) {
    this.silence = silence;
    this.name = name;
    this.source = source;
    this.selectors = selectors;
    this.sink = sink;
    this.thread = Thread.ofPlatform().daemon().name("watch-" + name).unstarted(this::run);
  }

  void start() {
    thread.start();
  }

  private void run() {
    long backoff = MIN_BACKOFF_MILLIS;
    while (closed.getCount() > 0) {
      long began = System.nanoTime();
      try {
        String version = list();
        while (version != null) {
          version = follow(version);
        }
        backoff = MIN_BACKOFF_MILLIS;
      } catch (RuntimeException | ExecutionException e) {
        LOG.warnf("Watching %s was interrupted, it is tried again: %s", name, e.getMessage());
        // One that held for long says nothing about the next.
        boolean held =
            System.nanoTime() - began > TimeUnit.MILLISECONDS.toNanos(MAX_BACKOFF_MILLIS);
        backoff = held ? MIN_BACKOFF_MILLIS : Math.min(MAX_BACKOFF_MILLIS, backoff * 2);
      } catch (InterruptedException e) {
        return;
      }
      if (pause(backoff)) {
        return;
      }
    }
  }

  /** Waits with jitter, so that the agents of a cluster do not come all at once. */
  private boolean pause(long millis) {
    try {
      long jittered = millis / 2 + ThreadLocalRandom.current().nextLong(millis / 2 + 1);
      return closed.await(jittered, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      return true;
    }
  }

  /** Lists everything and returns the version to watch from. */
  private String list() {
    Set<ObjectKey> all = new HashSet<>();
    String next = null;
    while (true) {
      ListOptions options =
          new ListOptionsBuilder(selectors).withLimit(PAGE).withContinue(next).build();
      KubernetesResourceList<T> page = source.list(options);
      for (T object : page.getItems()) {
        all.add(key(object));
        sink.changed(object);
      }
      next = page.getMetadata().getContinue();
      if (next == null || next.isEmpty()) {
        sink.listed(all);
        return page.getMetadata().getResourceVersion();
      }
    }
  }

  /**
   * Watches until the server wants a new list or the watch breaks for good.
   *
   * @return where to watch on when nothing was heard for too long: a connection whose other end is
   *     gone says nothing of that; null when everything is to be listed
   */
  private @Nullable String follow(String version) throws InterruptedException, ExecutionException {
    CompletableFuture<Void> ended = new CompletableFuture<>();
    Events events = new Events(ended, version);
    synchronized (this) {
      watchEnded = ended;
    }
    ListOptions options =
        new ListOptionsBuilder(selectors)
            .withResourceVersion(version)
            .withAllowWatchBookmarks(true)
            .withTimeoutSeconds(WATCH_SECONDS)
            .build();
    try (Watch watch = source.watch(options, events)) {
      LOG.debugf("Watching %s from version %s by %s", name, version, watch);
      long left = silence.toNanos();
      while (closed.getCount() > 0 && left > 0) {
        try {
          ended.get(left, TimeUnit.NANOSECONDS);
          return null;
        } catch (TimeoutException e) {
          left = silence.toNanos() - (System.nanoTime() - events.heard);
        }
      }
    }
    if (closed.getCount() == 0) {
      return null;
    }
    LOG.warnf("Nothing was heard of %s for %ds, it is watched anew", name, silence.toSeconds());
    return events.end();
  }

  private static ObjectKey key(HasMetadata object) {
    ObjectMeta metadata = object.getMetadata();
    String namespace = metadata.getNamespace();
    return new ObjectKey(namespace == null ? "" : namespace, metadata.getName());
  }

  @Override
  public void close() {
    closed.countDown();
    synchronized (this) {
      watchEnded.complete(null);
    }
    thread.interrupt();
  }

  /** Hands watch events on; the client itself reconnects as long as the version is known. */
  private final class Events implements Watcher<T> {
    private final CompletableFuture<Void> ended;
    private String version;
    private volatile long heard = System.nanoTime();

    Events(CompletableFuture<Void> ended, String version) {
      this.ended = ended;
      this.version = version;
    }

    /** Takes no more, so that nothing old comes after what the next watch says; where it was. */
    synchronized String end() {
      ended.complete(null);
      return version;
    }

    @Override
    public synchronized void eventReceived(Action action, T object) {
      if (ended.isDone()) {
        return;
      }
      heard = System.nanoTime();
      if (action != Action.ERROR) {
        version = object.getMetadata().getResourceVersion();
      }
      switch (action) {
        case ADDED, MODIFIED -> sink.changed(object);
        case DELETED -> sink.deleted(object);
        case ERROR -> ended.complete(null);
        case BOOKMARK -> LOG.tracef("Bookmark for %s", name);
      }
    }

    @Override
    public boolean reconnecting() {
      return true;
    }

    @Override
    public void onClose() {
      ended.complete(null);
    }

    @Override
    public void onClose(WatcherException cause) {
      if (cause.isHttpGone()) {
        ended.complete(null);
      } else {
        ended.completeExceptionally(cause);
      }
    }
  }
}
