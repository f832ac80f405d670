// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import java.nio.file.Path;

/**
 * A machine with a kernel of its own that runs one command in the host's file system, with a
 * writable layer of its own over it. It has no network, and nothing of it outlives the run.
 */
public sealed interface InnerMachine permits UserModeLinux, StockKernel {
  /** The folder through which a command reaches the host's file system. */
  String OUTSIDE = "/mnt/outside";

  /** Where a machine leaves what it has to say while it runs. */
  interface Watcher {
    /**
     * Called from time to time and once at the end.
     *
     * @param folder the folder that the command knows as {@link #OUTSIDE}
     * @return whether there is anything new
     */
    boolean look(Path folder);
  }

  /** What it is called in messages. */
  String title();

  /**
   * Boots, runs a line of shell in the project's folder and waits for its end.
   *
   * @return the command's exit code
   * @throws IllegalStateException when the machine dies, or says nothing new for too long; the
   *     message holds the last it said
   */
  int run(String command, Watcher watcher);
}
