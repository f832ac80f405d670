// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf.packet;

import static io.pointsman.dataplane.bpf.packet.PacketBuilder.SYN;
import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Backend;
import io.pointsman.catalogue.Frontend;
import io.pointsman.catalogue.FrontendKind;
import io.pointsman.catalogue.IpFamily;
import io.pointsman.catalogue.Protocol;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.catalogue.ServicePortId;
import io.pointsman.dataplane.bpf.SyncedMaps;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Lookups and connections while Services change under them: none fails, none goes astray. */
class HammerTest {
  private static final int CHANGES = 10_000;
  private static final int SERVICES = 4;
  private static final int BACKENDS = 8;

  /** Changes Services' backends at random, by what the agent writes them with. */
  private static final class Changer implements AutoCloseable {
    private final Random random = new Random(42);
    private final List<ServicePort> services = new ArrayList<>();
    private final SyncedMaps maps;

    Changer(Tables tables, int scheduler) {
      for (int service = 0; service < SERVICES; service++) {
        services.add(some(service));
      }
      maps = new SyncedMaps(tables.map("nat_fe"), tables.map("nat_be"), scheduler, services);
    }

    void run() {
      for (int i = 0; i < CHANGES; i++) {
        int service = random.nextInt(SERVICES);
        ServicePort after = some(service);
        maps.change(services.set(service, after), after);
      }
    }

    private ServicePort some(int service) {
      List<Backend> all = new ArrayList<>();
      for (int i = 0; i < BACKENDS; i++) {
        Endpoint backend = backend(service, i);
        all.add(new Backend(backend.address(), backend.port(), true));
      }
      Collections.shuffle(all, random);
      List<Backend> chosen = new ArrayList<>(all.subList(0, 1 + random.nextInt(BACKENDS)));
      chosen.sort(Comparator.comparing(Backend::address).thenComparingInt(Backend::port));
      Endpoint vip = vip(service);
      return new ServicePort(
          new ServicePortId("default", "web-" + service, "", Protocol.TCP, IpFamily.IPV4),
          List.of(new Frontend(vip.address(), vip.port(), Protocol.TCP, FrontendKind.CLUSTER_IP)),
          chosen);
    }

    @Override
    public void close() {
      maps.close();
    }
  }

  private static Endpoint vip(int service) {
    return Endpoint.of("10.96.0." + (10 + service), 80);
  }

  private static Endpoint backend(int service, int number) {
    return Endpoint.of("10.244.1." + (1 + service % 2), 20000 + 100 * service + number);
  }

  @ParameterizedTest
  @ValueSource(ints = {SyncedMaps.RANDOM, SyncedMaps.RR})
  void noPacketIsLostOrGoesAstray(int scheduler) {
    try (PacketPrograms programs = new PacketPrograms(java.util.Map.of());
        Changer changer = new Changer(programs.tables, scheduler)) {
      AtomicBoolean done = new AtomicBoolean();
      CompletableFuture<Void> changes =
          CompletableFuture.runAsync(changer::run)
              .whenComplete((nothing, failure) -> done.set(true));
      Random random = new Random(7);
      int packets = 0;
      while (!done.get()) {
        int service = random.nextInt(SERVICES);
        Endpoint client =
            Endpoint.of(
                "198.51.%d.%d".formatted(packets >> 23, packets >> 15 & 0xff),
                1 + (packets & 0x7fff));
        Wire wire = programs.throughIngress(PacketBuilder.tcp(client, vip(service), SYN).build());
        assertThat((wire.destinationPort() - 20000) / 100).as("Service").isEqualTo(service);
        packets++;
      }
      changes.join();
      assertThat(packets).isGreaterThan(SERVICES);
      System.out.printf(
          "%d new flows during %d changes, of which %d met one%n",
          packets, CHANGES, programs.tables.count(Counter.LOOKUP_RACED));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {SyncedMaps.RANDOM, SyncedMaps.RR})
  void noConnectionFailsOrGoesAstray(int scheduler) throws IOException {
    try (SocketNode node = new SocketNode(SocketNode.canChooseError());
        Changer changer = new Changer(node.tables, scheduler)) {
      serveEveryBackend(node);
      Process client =
          new ProcessBuilder(
                  node.command(
                      """
                      import itertools, threading
                      done = threading.Event()
                      threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
                      wrong = set()
                      print("ready", flush=True)
                      for i in itertools.count():
                          if done.is_set():
                              break
                          try:
                              with tcp("10.96.0.%%d" %% (10 + i %% %d), 80) as s:
                                  if name(s) != "s%%d" %% (i %% %d):
                                      wrong.add("astray")
                          except OSError as e:
                              wrong.add(str(e))
                      print(i, *wrong)
                      """,
                      SERVICES, SERVICES))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (var out = client.inputReader()) {
        assertThat(out.readLine()).isEqualTo("ready");
        changer.run();
        client.getOutputStream().close();
        String[] result = out.readLine().split(" ", 2);
        assertThat(result).as("failures").hasSize(1);
        assertThat(Integer.parseInt(result[0])).isGreaterThan(SERVICES);
        System.out.printf("%s connections during %d changes%n", result[0], CHANGES);
      }
    }
  }

  /** Every backend says of which Service it is. */
  private static void serveEveryBackend(SocketNode node) throws IOException {
    for (int service = 0; service < SERVICES; service++) {
      for (int i = 0; i < BACKENDS; i++) {
        Endpoint backend = backend(service, i);
        node.servers.named(backend.address().toString(), backend.port(), "s" + service);
      }
    }
  }
}
