// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.ipvs;

import io.pointsman.api.Scheduler;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.kernel.VirtualServerInfo;
import java.util.Locale;

/** What ip_vs calls a scheduler, and what it has to be told. */
final class Schedulers {
  private Schedulers() {}

  /**
   * The name in ip_vs.
   *
   * @throws DataplaneException when ip_vs has none such
   */
  static String name(Scheduler wanted) {
    return switch (wanted) {
      case RR, WRR, LC, WLC, SH, DH, SED, NQ, MH, LBLC, LBLCR, FO, OVF ->
          wanted.name().toLowerCase(Locale.ROOT);
      case RANDOM ->
          throw new DataplaneException(
              "The IPVS dataplane does not have the scheduler random: choose rr, wrr, lc, wlc, sh,"
                  + " dh, sed, nq, mh, lblc, lblcr, fo or ovf.",
              null);
    };
  }

  /** The flags of its virtual servers: mh looks at ports, too, as with kube-proxy. */
  static int flags(String name) {
    return name.equals("mh") ? VirtualServerInfo.SCHEDULER_2 : 0;
  }

  static String module(String name) {
    return "ip_vs_" + name;
  }
}
