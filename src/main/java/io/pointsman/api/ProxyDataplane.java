// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Kind;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Singular;
import io.fabric8.kubernetes.model.annotation.Version;

/** Which Service dataplane the selected Linux nodes use, and how they are taken there. */
@Group(ProxyDataplane.GROUP)
@Version(ProxyDataplane.VERSION)
@Kind("ProxyDataplane")
@Plural("proxydataplanes")
@Singular("proxydataplane")
@ShortNames("pdp")
public class ProxyDataplane extends CustomResource<ProxyDataplaneSpec, ProxyDataplaneStatus> {
  /** The API group of all resources. */
  public static final String GROUP = "pointsman.io";

  /** The API version of all resources. */
  public static final String VERSION = "v1alpha1";
}
