// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DesiredState;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a kernel does to real dataplanes when it fails, and how often it is asked. */
final class FaultyKernel {
  private static final Set<String> NEEDED = Set.of("apply", "repair", "read");

  /** Whether nothing is written or read any more. */
  volatile boolean broken;

  /** How often a dataplane was asked where it is. */
  final AtomicInteger looks = new AtomicInteger();

  /** How often it was to write everything that differs. */
  final AtomicInteger repairs = new AtomicInteger();

  /** The addresses that are to answer on node ports, as a dataplane was told last. */
  volatile Set<Address> nodePortAddresses = Set.of();

  /** A dataplane whose every call goes through this. */
  static Dataplane dataplane(InvocationHandler calls) {
    return (Dataplane)
        Proxy.newProxyInstance(
            FaultyKernel.class.getClassLoader(), new Class<?>[] {Dataplane.class}, calls);
  }

  /** The dataplane on this kernel. */
  Dataplane under(Dataplane real) {
    return dataplane(
        (proxy, method, arguments) -> {
          String name = method.getName();
          looks.addAndGet(name.equals("phase") ? 1 : 0);
          repairs.addAndGet(name.equals("repair") ? 1 : 0);
          if (arguments != null) {
            noteNodePorts(arguments[0]);
          }
          if (broken && NEEDED.contains(name)) {
            throw new DataplaneException(name + ": EIO", null);
          }
          try {
            return method.invoke(real, arguments);
          } catch (InvocationTargetException e) {
            throw e.getTargetException();
          }
        });
  }

  private void noteNodePorts(Object told) {
    if (told instanceof DesiredState desired) {
      nodePortAddresses = desired.nodePortAddresses();
    } else if (told instanceof Set<?> all) {
      nodePortAddresses = all.stream().map(Address.class::cast).collect(Collectors.toSet());
    }
  }

  /**
   * A dataplane whose prepare fails when the kernel is to refuse what it writes, and that is said
   * to have left something.
   */
  static Dataplane refusing(
      Supplier<@Nullable DataplaneException> refusal,
      Supplier<List<String>> leaving,
      Dataplane real) {
    return dataplane(
        (proxy, method, arguments) -> {
          DataplaneException refused = refusal.get();
          if (refused != null && method.getName().equals("prepare")) {
            throw refused;
          }
          List<String> said = leaving.get();
          return method.getName().equals("leftovers") && !said.isEmpty()
              ? said
              : method.invoke(real, arguments);
        });
  }
}
