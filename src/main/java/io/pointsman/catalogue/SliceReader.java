// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static java.util.Objects.requireNonNullElse;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.discovery.v1.Endpoint;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointConditions;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointHints;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointPort;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.api.model.discovery.v1.ForNode;
import io.fabric8.kubernetes.api.model.discovery.v1.ForZone;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reduces an EndpointSlice to what the catalogue needs and names what cannot be served. */
public final class SliceReader {
  /** The label that says which Service a slice belongs to. */
  public static final String SERVICE_NAME_LABEL = "kubernetes.io/service-name";

  /** The label of a headless Service's slices. */
  public static final String HEADLESS_LABEL = "service.kubernetes.io/headless";

  /** Of slices that may be served, as kube-proxy watches them. */
  public static final String SELECTOR = "!" + HEADLESS_LABEL;

  private final Names names;
  private final Set<Protocol> served;

  /** Shares repeated strings through the table; leaves out what Pointsman does not serve. */
  public SliceReader(Names names) {
    this(names, ServiceReader.SERVED);
  }

  /** The same with the protocols that are wanted. */
  public SliceReader(Names names, Set<Protocol> served) {
    this.names = names;
    this.served = Set.copyOf(served);
  }

  /** Names a slice. */
  public ObjectKey key(ObjectMeta metadata) {
    return new ObjectKey(names.share(metadata.getNamespace()), metadata.getName());
  }

  /** The slice reduced, or null when it belongs to no Service or to a headless one. */
  public @Nullable SliceInput read(EndpointSlice slice) {
    Map<String, String> labels = requireNonNullElse(slice.getMetadata().getLabels(), Map.of());
    String service = labels.get(SERVICE_NAME_LABEL);
    if (service == null || service.isEmpty() || labels.containsKey(HEADLESS_LABEL)) {
      return null;
    }
    ObjectKey key = key(slice.getMetadata());
    return new Reading(key, new ObjectKey(key.namespace(), service)).read(slice);
  }

  /** One slice being read. */
  private final class Reading {
    private final ObjectKey key;
    private final ObjectKey service;
    private final List<Problem> problems = new ArrayList<>(0);
    private boolean hinted;

    Reading(ObjectKey key, ObjectKey service) {
      this.key = key;
      this.service = service;
    }

    SliceInput read(EndpointSlice slice) {
      IpFamily family = family(slice.getAddressType());
      if (family == null) {
        return new SliceInput(key, service, List.of(), List.of(), problems);
      }
      List<SliceInput.Port> ports = ports(slice);
      List<SliceInput.Endpoint> endpoints = endpoints(slice, family);
      if (hinted) {
        problems.add(
            new Problem(
                "EndpointSlice " + key,
                Problem.Effect.SERVED_WITHOUT,
                "TopologyHintsNotHonoured",
                "topology hints are not honoured by this version; all endpoints are used.",
                "Nothing has to be done unless traffic must stay in its zone."));
      }
      return new SliceInput(key, service, ports, endpoints, problems);
    }

    private @Nullable IpFamily family(@Nullable String addressType) {
      if ("IPv4".equals(addressType)) {
        return IpFamily.IPV4;
      }
      if ("IPv6".equals(addressType)) {
        return IpFamily.IPV6;
      }
      refuse(
          "AddressTypeNotServed",
          "addressType " + addressType + " cannot be served.",
          "Use slices of addressType IPv4 or IPv6.");
      return null;
    }

    private List<SliceInput.Port> ports(EndpointSlice slice) {
      List<SliceInput.Port> ports = new ArrayList<>(2);
      for (EndpointPort port : requireNonNullElse(slice.getPorts(), List.<EndpointPort>of())) {
        String name = names.share(requireNonNullElse(port.getName(), ""));
        String protocol = requireNonNullElse(port.getProtocol(), "TCP");
        int number = requireNonNullElse(port.getPort(), 0);
        if (number < 1 || number > 65_535) {
          refuse(
              "PortNotServed",
              "port \"" + name + "\" has no number from 1 to 65535.",
              "Give the port a number.");
          continue;
        }
        for (Protocol each : served) {
          if (each.name().equals(protocol)) {
            ports.add(new SliceInput.Port(name, each, number));
          }
        }
        // Other protocols are named once, with the Service that has the port.
      }
      return ports;
    }

    private List<SliceInput.Endpoint> endpoints(EndpointSlice slice, IpFamily family) {
      List<Endpoint> all = requireNonNullElse(slice.getEndpoints(), List.<Endpoint>of());
      List<SliceInput.Endpoint> endpoints = new ArrayList<>(all.size());
      for (Endpoint endpoint : all) {
        hinted |= endpoint.getHints() != null;
        EndpointConditions conditions = endpoint.getConditions();
        boolean ready = conditions == null || requireNonNullElse(conditions.getReady(), true);
        boolean fallback =
            conditions != null
                && requireNonNullElse(conditions.getServing(), true)
                && requireNonNullElse(conditions.getTerminating(), false);
        List<String> texts = requireNonNullElse(endpoint.getAddresses(), List.of());
        // All addresses of an endpoint are interchangeable; like kube-proxy, the first is used.
        if ((ready || fallback) && !texts.isEmpty()) {
          Address address = address(texts.getFirst(), family);
          if (address != null) {
            String node = names.share(requireNonNullElse(endpoint.getNodeName(), ""));
            endpoints.add(new SliceInput.Endpoint(address, node, ready, hints(endpoint)));
          }
        }
      }
      return endpoints;
    }

    private SliceInput.Hints hints(Endpoint endpoint) {
      EndpointHints hints = endpoint.getHints();
      if (hints == null) {
        return SliceInput.Hints.NONE;
      }
      Set<String> zones = new HashSet<>();
      requireNonNullElse(hints.getForZones(), List.<ForZone>of())
          .forEach(zone -> zones.add(names.share(zone.getName())));
      Set<String> nodes = new HashSet<>();
      requireNonNullElse(hints.getForNodes(), List.<ForNode>of())
          .forEach(node -> nodes.add(names.share(node.getName())));
      return new SliceInput.Hints(zones, nodes);
    }

    private @Nullable Address address(String text, IpFamily family) {
      String objection;
      try {
        Address address = Address.parse(text);
        objection =
            address.family() == family
                ? AddressRules.objection(address)
                : "not of the slice's address type";
        if (objection == null) {
          return address;
        }
      } catch (IllegalArgumentException e) {
        objection = "not an IP address";
      }
      refuse(
          "EndpointNotServed",
          "endpoint \"" + text + "\" is " + objection + ".",
          "Let the slice name addresses of pods or hosts.");
      return null;
    }

    private void refuse(String reason, String message, String remedy) {
      problems.add(
          new Problem("EndpointSlice " + key, Problem.Effect.NOT_SERVED, reason, message, remedy));
    }
  }
}
