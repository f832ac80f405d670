// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import java.time.Duration;

/**
 * How much load a machine bears without that waiting for a processor looks like a loss.
 *
 * @param perSecond new connections of each web load
 * @param pause between two messages of a flow
 * @param block bytes that a stream sends and wants back at a time
 * @param patience how long an answer may take
 * @param resend after how long a datagram is sent again when no answer came: those that come while
 *     ip_vs hands the flow over are dropped; zero never does
 * @param limit how long a step of a test may take
 */
record Pace(
    int perSecond, Duration pause, int block, Duration patience, Duration resend, Duration limit) {
  /** As web.yaml has it. */
  private static final long LINGER_SECONDS = 3;

  /** For the machine itself. */
  static final Pace FULL =
      new Pace(
          100,
          Duration.ofMillis(50),
          65_536,
          Duration.ofSeconds(10),
          Duration.ZERO,
          Duration.ofMinutes(6));

  /** For User-Mode Linux, where every system call is dear. */
  static final Pace SLOW =
      new Pace(
          4,
          Duration.ofSeconds(1),
          4_096,
          Duration.ofSeconds(45),
          Duration.ofSeconds(5),
          Duration.ofMinutes(20));

  /** For QEMU without KVM, where every instruction is. */
  static final Pace EMULATED =
      new Pace(
          2,
          Duration.ofSeconds(2),
          1_024,
          Duration.ofSeconds(60),
          Duration.ofSeconds(10),
          Duration.ofMinutes(25));

  /** The same with few messages on each flow, where there are many flows. */
  Pace trickling() {
    return isSlow()
        ? this
        : new Pace(perSecond, SLOW.pause(), SLOW.block(), patience, resend, limit);
  }

  /** The same with so many connections a second. */
  Pace at(int connections) {
    return new Pace(connections, pause, block, patience, resend, limit);
  }

  /** The same with answers that may take so long. */
  Pace within(Duration answer) {
    return new Pace(perSecond, pause, block, answer, resend, limit);
  }

  /** The same with datagrams that are sent again after so long; zero never does. */
  Pace resending(Duration again) {
    return new Pace(perSecond, pause, block, patience, again, limit);
  }

  /**
   * How long a pod serves on after it was told to end: every node must know of it before, or its
   * end looks like a loss. Where everything is slow, the control plane is, too.
   */
  long lingerSeconds() {
    return isSlow() ? patience.toSeconds() : LINGER_SECONDS;
  }

  private boolean isSlow() {
    return block <= SLOW.block();
  }

  /** What the chart is installed with. */
  String[] arguments() {
    return isSlow()
        ? new String[] {"--set=operator.replicas=1", "--timeout=" + limit.toSeconds() + "s"}
        : new String[0];
  }

  String timeout() {
    return "--timeout=" + patience.toSeconds() + "s";
  }
}
