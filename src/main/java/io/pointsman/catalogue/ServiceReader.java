// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import static java.util.Objects.requireNonNullElse;

import io.fabric8.kubernetes.api.model.LoadBalancerIngress;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServicePort;
import io.fabric8.kubernetes.api.model.ServiceSpec;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reduces a Service to what the catalogue needs and names what cannot be served. */
public final class ServiceReader {
  /** A Service with this label belongs to another proxy. */
  public static final String PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name";

  /** Of Services that may be served, as kube-proxy watches them. */
  public static final String SELECTOR = "!" + PROXY_NAME_LABEL;

  /** The protocols that Pointsman serves. */
  static final Set<Protocol> SERVED = Set.of(Protocol.TCP, Protocol.UDP);

  private final Names names;
  private final Set<Protocol> served;

  /** Shares repeated strings through the table; refuses what Pointsman does not serve. */
  public ServiceReader(Names names) {
    this(names, SERVED);
  }

  /** The same with the protocols that are wanted. */
  public ServiceReader(Names names, Set<Protocol> served) {
    this.names = names;
    this.served = Set.copyOf(served);
  }

  /** Names a Service. */
  public ObjectKey key(ObjectMeta metadata) {
    return new ObjectKey(names.share(metadata.getNamespace()), metadata.getName());
  }

  /** The Service reduced; never fails, whatever the object holds. */
  public ServiceInput read(Service service) {
    ObjectKey key = key(service.getMetadata());
    ServiceSpec spec = service.getSpec();
    if (spec == null || isIgnored(service.getMetadata(), spec)) {
      return ServiceInput.ignored(key);
    }
    return new Reading(key, service, spec).read();
  }

  private static boolean isIgnored(ObjectMeta metadata, ServiceSpec spec) {
    Map<String, String> labels = requireNonNullElse(metadata.getLabels(), Map.of());
    String clusterIp = spec.getClusterIP();
    return labels.containsKey(PROXY_NAME_LABEL)
        || "ExternalName".equals(spec.getType())
        || clusterIp == null
        || clusterIp.isEmpty()
        || "None".equals(clusterIp);
  }

  /** One Service being read. */
  private final class Reading {
    private final ObjectKey key;
    private final Service service;
    private final ServiceSpec spec;
    private final List<Problem> problems = new ArrayList<>();

    Reading(ObjectKey key, Service service, ServiceSpec spec) {
      this.key = key;
      this.service = service;
      this.spec = spec;
    }

    ServiceInput read() {
      List<Address> cluster = clusterAddresses();
      Set<IpFamily> families = EnumSet.noneOf(IpFamily.class);
      cluster.forEach(address -> families.add(address.family()));
      List<Address> external = externalAddresses(families);
      List<Address> loadBalancer = loadBalancerAddresses(families);
      List<ServiceInput.Port> ports = ports();
      nameLimitations();
      return new ServiceInput(
          key, created(), true, cluster, external, loadBalancer, ports, policy(), problems);
    }

    private long created() {
      String text = service.getMetadata().getCreationTimestamp();
      try {
        return text == null ? 0 : Instant.parse(text).getEpochSecond();
      } catch (DateTimeParseException e) {
        return 0;
      }
    }

    private List<Address> clusterAddresses() {
      Set<String> texts = new LinkedHashSet<>();
      texts.add(spec.getClusterIP());
      texts.addAll(requireNonNullElse(spec.getClusterIPs(), List.of()));
      List<Address> addresses = new ArrayList<>(2);
      for (String text : texts) {
        Address address = address("clusterIP", text);
        if (address != null && addresses.stream().noneMatch(a -> a.family() == address.family())) {
          addresses.add(address);
        }
      }
      return addresses;
    }

    private List<Address> externalAddresses(Set<IpFamily> families) {
      Set<Address> addresses = new LinkedHashSet<>();
      for (String text : requireNonNullElse(spec.getExternalIPs(), List.<String>of())) {
        Address address = address("externalIP", text, families);
        if (address != null) {
          addresses.add(address);
        }
      }
      return List.copyOf(addresses);
    }

    private List<Address> loadBalancerAddresses(Set<IpFamily> families) {
      if (service.getStatus() == null || service.getStatus().getLoadBalancer() == null) {
        return List.of();
      }
      Set<Address> addresses = new LinkedHashSet<>();
      List<LoadBalancerIngress> ingresses =
          requireNonNullElse(
              service.getStatus().getLoadBalancer().getIngress(), List.<LoadBalancerIngress>of());
      for (LoadBalancerIngress ingress : ingresses) {
        String text = ingress.getIp();
        if (text == null || text.isEmpty() || "Proxy".equals(ingress.getIpMode())) {
          continue;
        }
        Address address = address("load balancer address", text);
        // A load balancer may have both families whatever the Service has; nobody can change that.
        if (address != null && families.contains(address.family())) {
          addresses.add(address);
        }
      }
      return List.copyOf(addresses);
    }

    /** An address that is only served in a family that the Service has a ClusterIP of. */
    private @Nullable Address address(String field, String text, Set<IpFamily> families) {
      Address address = address(field, text);
      if (address == null || families.contains(address.family())) {
        return address;
      }
      refuse(
          "AddressFamilyNotServed",
          field + " " + text + " is of a family in which the Service has no ClusterIP.",
          "Add the family to spec.ipFamilies or remove the address.");
      return null;
    }

    private @Nullable Address address(String field, String text) {
      String objection;
      try {
        Address address = Address.parse(text);
        objection = AddressRules.objection(address);
        if (objection == null) {
          return address;
        }
      } catch (IllegalArgumentException e) {
        objection = "not an IP address";
      }
      refuse(
          "AddressNotServed",
          field + " \"" + text + "\" is " + objection + ".",
          "Give the Service an address that clients can reach.");
      return null;
    }

    private List<ServiceInput.Port> ports() {
      List<ServiceInput.Port> ports = new ArrayList<>(2);
      Set<String> namesSeen = new HashSet<>();
      Set<String> numbersSeen = new HashSet<>();
      for (ServicePort port : requireNonNullElse(spec.getPorts(), List.<ServicePort>of())) {
        ServiceInput.Port read = port(port);
        if (read == null) {
          continue;
        }
        // A name may be a number: "kubectl create service" gives such names.
        if (namesSeen.add(read.name() + "/" + read.protocol())
            && numbersSeen.add(read.port() + "/" + read.protocol())) {
          ports.add(read);
        } else {
          refuse(
              "DuplicatePort",
              describe(read) + " has the name or number of another port of this Service.",
              "Give every port its own name and number.");
        }
      }
      return ports;
    }

    private ServiceInput.@Nullable Port port(ServicePort port) {
      String name = names.share(requireNonNullElse(port.getName(), ""));
      Protocol protocol = protocol(name, port.getProtocol());
      int number = requireNonNullElse(port.getPort(), 0);
      int nodePort = requireNonNullElse(port.getNodePort(), 0);
      if (protocol == null) {
        return null;
      }
      if (number < 1 || number > 65_535 || nodePort < 0 || nodePort > 65_535) {
        refuse(
            "PortNotServed",
            "port \"" + name + "\" has number " + number + " and node port " + nodePort + ".",
            "Use numbers from 1 to 65535.");
        return null;
      }
      return new ServiceInput.Port(name, protocol, number, nodePort);
    }

    private @Nullable Protocol protocol(String port, @Nullable String text) {
      String protocol = requireNonNullElse(text, "TCP");
      for (Protocol each : served) {
        if (each.name().equals(protocol)) {
          return each;
        }
      }
      refuse(
          "ProtocolNotServed",
          "port \"" + port + "\" has protocol " + protocol + ", which Pointsman does not serve.",
          "Use TCP or UDP, or keep the nodes whose clients need it on kube-proxy.");
      return null;
    }

    private TrafficPolicy policy() {
      return new TrafficPolicy(
          "Local".equals(spec.getInternalTrafficPolicy()),
          "Local".equals(spec.getExternalTrafficPolicy()),
          "ClientIP".equals(spec.getSessionAffinity()),
          !requireNonNullElse(spec.getLoadBalancerSourceRanges(), List.of()).isEmpty());
    }

    private void nameLimitations() {
      TrafficPolicy policy = policy();
      if (policy.affinity()) {
        limit("SessionAffinityNotHonoured", "sessionAffinity ClientIP");
      }
      if (policy.externalLocal()) {
        limit("ExternalTrafficPolicyNotHonoured", "externalTrafficPolicy Local");
      }
      Integer health = spec.getHealthCheckNodePort();
      if (health != null && health > 0) {
        limit("HealthCheckNodePortNotServed", "healthCheckNodePort " + health);
      }
      if (policy.internalLocal()) {
        limit("InternalTrafficPolicyNotHonoured", "internalTrafficPolicy Local");
      }
      if (policy.sourceRanges()) {
        limit("SourceRangesNotHonoured", "loadBalancerSourceRanges");
      }
    }

    private void limit(String reason, String field) {
      problems.add(
          new Problem(
              "Service " + key,
              Problem.Effect.SERVED_WITHOUT,
              reason,
              field + " is not honoured by this version; the Service is served without it.",
              "Keep the nodes whose clients need it on kube-proxy, or take the field out."));
    }

    private void refuse(String reason, String message, String remedy) {
      problems.add(
          new Problem("Service " + key, Problem.Effect.NOT_SERVED, reason, message, remedy));
    }
  }

  private static String describe(ServiceInput.Port port) {
    return "port \"" + port.name() + "\" " + port.port() + "/" + port.protocol();
  }
}
