// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import io.pointsman.catalogue.Address;
import io.pointsman.kernel.BpfMap;
import io.pointsman.kernel.BpfMapReader;
import io.pointsman.kernel.BpfObject;
import io.pointsman.kernel.Clock;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/** The maps of a loaded object, filled as the agent would. */
final class Tables {
  static final int PREPARED = 0;
  static final int ACTIVE = 1;
  static final int DRAINING = 2;
  static final int LOW_PORT = 61000;
  static final int HIGH_PORT = 65000;

  private final Function<String, BpfMap> maps;

  Tables(BpfObject object) {
    this.maps = object::map;
  }

  BpfMap map(String name) {
    return maps.apply(name);
  }

  void phase(int phase) {
    config(phase, LOW_PORT, HIGH_PORT, 0);
  }

  void config(int phase, int low, int high, long hostNamespace) {
    map("config").update(Structs.number(0), Structs.config(phase, low, high, hostNamespace));
  }

  /** Writes a set of backends. */
  void backends(int set, int flags, List<Endpoint> backends) {
    backends(set, 0, flags, backends);
  }

  /** Writes backends into a set from an ordinal on. */
  void backends(int set, int from, int flags, List<Endpoint> backends) {
    for (int i = 0; i < backends.size(); i++) {
      map("nat_be")
          .update(Structs.backendKey(set, from + i), Structs.backend(backends.get(i), flags, set));
    }
  }

  void frontend(Endpoint frontend, int protocol, int set, int count, int scheduler) {
    frontend(frontend, protocol, set, count, 0, scheduler);
  }

  /** A frontend whose first {@code local} backends run on this node. */
  void frontend(Endpoint frontend, int protocol, int set, int count, int local, int scheduler) {
    map("nat_fe")
        .update(
            Structs.frontendKey(frontend, protocol),
            Structs.frontend(set, count, local, 7, scheduler));
  }

  /** A frontend behind whose backends some stand that only keep flows. */
  void terminating(Endpoint frontend, int protocol, int set, int count, int terminating) {
    map("nat_fe")
        .update(
            Structs.frontendKey(frontend, protocol),
            Structs.frontend(set, count, 0, 7, Structs.ROUND_ROBIN, terminating));
  }

  /** A frontend with its backends, round robin. */
  void service(Endpoint frontend, int protocol, int set, int flags, List<Endpoint> backends) {
    backends(set, flags, backends);
    frontend(frontend, protocol, set, backends.size(), Structs.ROUND_ROBIN);
  }

  void removeFrontend(Endpoint frontend, int protocol) {
    map("nat_fe").delete(Structs.frontendKey(frontend, protocol));
  }

  void removeBackends(int set, int count) {
    for (int i = 0; i < count; i++) {
      map("nat_be").delete(Structs.backendKey(set, i));
    }
  }

  void nodeAddress(Address address) {
    map("node_addr").update(Structs.address(address), Structs.number(0));
  }

  void device(int ifindex, Address v4, Address v6) {
    map("device").update(Structs.number(ifindex), Structs.device(v4, v6));
  }

  /** An entry that the agent writes for a flow of the stack, used a moment ago. */
  void connection(
      int hook, int protocol, Endpoint from, Endpoint to, Endpoint backend, int flags, int limit) {
    map("ct")
        .update(
            Structs.connectionKey(hook, protocol, from, to),
            Structs.connection(backend, flags, limit, Clock.bootNanos()));
  }

  boolean hasConnection(int hook, int protocol, Endpoint from, Endpoint to) {
    BpfMap ct = map("ct");
    MemorySegment value = Arena.ofAuto().allocate(ct.valueSize(), 8);
    return ct.lookup(Structs.connectionKey(hook, protocol, from, to), value);
  }

  /** Makes an entry's last packet {@code seconds} older. */
  void age(int hook, int protocol, Endpoint from, Endpoint to, long seconds) {
    change(
        hook,
        protocol,
        from,
        to,
        value -> {
          long seen = value.get(ValueLayout.JAVA_LONG, 24);
          value.set(ValueLayout.JAVA_LONG, 24, seen - seconds * 1_000_000_000L);
          int tick = value.get(ValueLayout.JAVA_INT, 36);
          // 1000 a second at most
          value.set(ValueLayout.JAVA_INT, 36, (int) (tick - 1000 * seconds));
        });
  }

  /** Makes an entry's last packet have come by then, in nanoseconds since the boot. */
  void seen(int hook, int protocol, Endpoint from, Endpoint to, long when) {
    change(hook, protocol, from, to, value -> value.set(ValueLayout.JAVA_LONG, 24, when));
  }

  private void change(
      int hook, int protocol, Endpoint from, Endpoint to, Consumer<MemorySegment> edit) {
    BpfMap ct = map("ct");
    MemorySegment value = Arena.ofAuto().allocate(ct.valueSize(), 8);
    MemorySegment key = Structs.connectionKey(hook, protocol, from, to);
    if (!ct.lookup(key, value)) {
      throw new AssertionError("no entry " + from + " -> " + to);
    }
    edit.accept(value);
    ct.update(key, value);
  }

  /** Empties every map. */
  void clear() {
    for (String name : List.of("nat_fe", "nat_be", "ct", "frag", "device", "node_addr")) {
      BpfMap map = map(name);
      List<MemorySegment> keys = new ArrayList<>();
      try (BpfMapReader reader = map.reader(1024)) {
        reader.rewind();
        while (reader.next()) {
          for (int i = 0; i < reader.count(); i++) {
            MemorySegment key = Arena.ofAuto().allocate(map.keySize(), 8);
            keys.add(key.copyFrom(reader.keys().asSlice((long) i * map.keySize(), map.keySize())));
          }
        }
      }
      keys.forEach(map::delete);
    }
    BpfMap counters = map("counters");
    for (Counter counter : Counter.values()) {
      counters.update(
          Structs.number(counter.ordinal()), Arena.ofAuto().allocate(counters.perCpuSize(), 8));
    }
  }

  long count(Counter counter) {
    BpfMap counters = map("counters");
    MemorySegment values = Arena.ofAuto().allocate(counters.perCpuSize(), 8);
    counters.lookup(Structs.number(counter.ordinal()), values);
    long sum = 0;
    for (int cpu = 0; cpu < BpfMap.possibleCpus(); cpu++) {
      sum += values.get(ValueLayout.JAVA_LONG, cpu * counters.perCpuStride());
    }
    return sum;
  }
}
