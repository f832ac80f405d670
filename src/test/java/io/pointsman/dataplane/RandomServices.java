// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.DesiredState.Change;
import io.pointsman.dataplane.DesiredState.Delta;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * A cluster's Services as chance has it, of both families, with every kind of frontend, some
 * without endpoints; and changes of them. The same seed gives the same.
 */
public final class RandomServices {
  private final Random random;
  private final int numbers;
  private final Map<String, ServicePort> now = new TreeMap<>();

  /**
   * No Services yet.
   *
   * @param numbers how many different Service ports there can be
   */
  public RandomServices(long seed, int numbers) {
    this.random = new Random(seed);
    this.numbers = numbers;
  }

  /** A desired state of these ports, on a node whose addresses all answer on node ports. */
  public static DesiredState desired(Collection<ServicePort> ports) {
    return NumberedServices.desired(ports, Set.of());
  }

  /** What there is now. */
  public DesiredState desired() {
    return desired(now.values());
  }

  /** Starts anew with some Services. */
  public DesiredState another() {
    now.clear();
    for (int i = random.nextInt(numbers); i > 0; i--) {
      ServicePort port = port(random.nextInt(numbers));
      now.put(port.id().toString(), port);
    }
    return desired();
  }

  /** Changes a few of them; adds, changes and removes. */
  public Delta change() {
    Map<String, Change> upserted = new TreeMap<>();
    Map<String, ServicePort> removed = new TreeMap<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      ServicePort after = port(random.nextInt(numbers));
      String key = after.id().toString();
      if (upserted.containsKey(key) || removed.containsKey(key)) {
        continue;
      }
      ServicePort before = now.get(key);
      if (before != null && random.nextInt(4) == 0) {
        removed.put(key, before);
        now.remove(key);
      } else {
        upserted.put(key, new Change(before, after));
        now.put(key, after);
      }
    }
    return new Delta(List.copyOf(upserted.values()), List.copyOf(removed.values()));
  }

  /** Number and family, protocol and addresses belong together, so that no two ports collide. */
  private ServicePort port(int number) {
    IpFamily family = number % 3 == 0 ? IpFamily.IPV6 : IpFamily.IPV4;
    Protocol protocol = number % 2 == 0 ? Protocol.TCP : Protocol.UDP;
    String name = number % 5 == 0 ? "" : "port-" + number % 5;
    ServicePortId id =
        new ServicePortId("ns-" + number % 7, "service-" + number, name, protocol, family);
    List<Backend> terminating = protocol == Protocol.UDP ? backends(family) : List.of();
    return new ServicePort(id, frontends(number, family, protocol), backends(family), terminating);
  }

  private List<Frontend> frontends(int number, IpFamily family, Protocol protocol) {
    List<Frontend> frontends = new ArrayList<>();
    int port = 1 + number % 9000;
    frontends.add(
        new Frontend(address(family, 96, number), port, protocol, FrontendKind.CLUSTER_IP));
    if (random.nextInt(3) == 0) {
      frontends.add(
          new Frontend(address(family, 97, number), port, protocol, FrontendKind.EXTERNAL_IP));
    }
    if (random.nextInt(3) == 0) {
      frontends.add(
          new Frontend(address(family, 98, number), port, protocol, FrontendKind.LOAD_BALANCER));
    }
    if (random.nextInt(3) == 0) {
      Address any = family == IpFamily.IPV4 ? Address.ANY_V4 : Address.ANY_V6;
      frontends.add(new Frontend(any, 30_000 + number, protocol, FrontendKind.NODE_PORT));
    }
    return frontends;
  }

  private List<Backend> backends(IpFamily family) {
    Map<Address, Backend> backends = new TreeMap<>();
    for (int i = random.nextInt(6); i > 0; i--) {
      Address address = address(family, 244, random.nextInt(500));
      backends.put(address, new Backend(address, 1 + random.nextInt(65_535), random.nextBoolean()));
    }
    return List.copyOf(backends.values());
  }

  private static Address address(IpFamily family, int net, int number) {
    return family == IpFamily.IPV4
        ? Address.ofV4(10 << 24 | net << 16 | number)
        : new Address(0xfd00_0000_0000_0000L | net, number * 0x1_0000_0001L);
  }
}
