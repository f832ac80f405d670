// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import java.util.concurrent.TimeUnit;

/** What the kubelet is told; written by the sync thread, read by anybody. */
public final class AgentHealth {
  /**
   * A pass over the kernel runs several commands, of five minutes at most, before the next beat.
   */
  private static final long LIVE_NANOS = TimeUnit.MINUTES.toNanos(15);

  private volatile long beatAt = System.nanoTime();
  private volatile boolean started;
  private volatile Answer ready = new Answer(false, "The agent has not begun.");

  /**
   * One answer.
   *
   * @param message why, for a person
   */
  public record Answer(boolean up, String message) {}

  /** Whether the agent still works at all. */
  public Answer live() {
    long silent = System.nanoTime() - beatAt;
    return new Answer(
        silent < LIVE_NANOS,
        "The agent's last turn was " + TimeUnit.NANOSECONDS.toSeconds(silent) + " s ago.");
  }

  /** Whether the agent has looked at the kernel; it need not have reached the API server. */
  public Answer started() {
    return new Answer(started, started ? "The kernel was looked at." : "The agent starts.");
  }

  /** Whether the node is proven, or has nothing to prove. */
  public Answer ready() {
    return ready;
  }

  void beat() {
    beatAt = System.nanoTime();
    started = true;
  }

  void ready(boolean up, String message) {
    ready = new Answer(up, message);
  }
}
