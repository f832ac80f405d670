// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.dataplane.DataplaneException;
import java.util.function.Consumer;
import org.jboss.logging.Logger;

/** A dataplane takes new flows, in the midst of a handover of others that may fail without harm. */
final class TakeOver implements Runnable {
  private static final Logger LOG = Logger.getLogger(TakeOver.class);

  private final Runnable action;
  private boolean begun;
  private boolean done;

  private TakeOver(Runnable action) {
    this.action = action;
  }

  /**
   * Hands over, and takes over once, whatever becomes of that.
   *
   * @param handover takes over in its midst
   * @param harm what is to be feared when it fails
   * @throws DataplaneException when it cannot be taken over
   */
  static void amid(Consumer<Runnable> handover, Runnable action, String harm) {
    TakeOver takeOver = new TakeOver(action);
    try {
      handover.accept(takeOver);
    } catch (DataplaneException e) {
      if (takeOver.begun && !takeOver.done) {
        throw e;
      }
      LOG.warnf(e, "%s: %s", harm, e.getMessage());
    }
    if (!takeOver.begun) {
      takeOver.run();
    }
  }

  @Override
  public void run() {
    begun = true;
    action.run();
    done = true;
  }
}
