// SPDX-License-Identifier: Apache-2.0
package io.pointsman.api;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.crd.generator.annotation.AdditionalSelectableField;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
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
@Categories("pointsman")
@AdditionalPrinterColumn(name = "Dataplane", jsonPath = ".spec.linuxDataplane", type = Type.STRING)
@AdditionalPrinterColumn(name = "Scheduler", jsonPath = ".spec.scheduler", type = Type.STRING)
@AdditionalPrinterColumn(name = "DSR", jsonPath = ".spec.dsr.mode", type = Type.STRING)
@AdditionalPrinterColumn(
    name = "Ready",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].status",
    type = Type.STRING)
@AdditionalPrinterColumn(
    name = "Converged",
    jsonPath = ".status.convergedNodes",
    type = Type.STRING)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
@AdditionalPrinterColumn(name = "Message", jsonPath = ".status.message", type = Type.STRING)
@AdditionalSelectableField(jsonPath = ".spec.linuxDataplane")
@ValidationRule(
    value = "self.metadata.name.size() <= 63",
    message = "metadata.name may have at most 63 characters: choose a shorter name")
public class ProxyDataplane extends CustomResource<ProxyDataplaneSpec, ProxyDataplaneStatus> {
  /** The API group of all resources. */
  public static final String GROUP = "pointsman.io";

  /** The API version of all resources. */
  public static final String VERSION = "v1alpha1";
}
