// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DataplaneSettings;

/** The dataplane that is open, with the settings that the operator wants. */
final class Kernel implements AutoCloseable {
  private final DataplaneSettings.Factory factory;
  private DataplaneSettings settings = DataplaneSettings.DEFAULTS;
  private Dataplane dataplane;

  /** Opens a dataplane, so that what is in the kernel is known before anything else is. */
  Kernel(DataplaneSettings.Factory factory) {
    this.factory = factory;
    this.dataplane = factory.open(settings);
  }

  Dataplane dataplane() {
    return dataplane;
  }

  /** Opens the dataplane anew when the operator wants other settings; true when it did. */
  boolean use(NodeDataplaneSpec spec) {
    String[] range = spec.nodePort.range.split("-", 2);
    DataplaneSettings wanted =
        new DataplaneSettings(
            spec.scheduler, Integer.parseInt(range[0]), Integer.parseInt(range[1]));
    if (wanted.equals(settings)) {
      return false;
    }
    Dataplane next = factory.open(wanted);
    dataplane.close();
    dataplane = next;
    settings = wanted;
    return true;
  }

  @Override
  public void close() {
    dataplane.close();
  }
}
