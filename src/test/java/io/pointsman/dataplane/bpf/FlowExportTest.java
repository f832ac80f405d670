// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.catalogue.Address;
import io.pointsman.catalogue.Protocol;
import io.pointsman.kernel.Clock;
import io.pointsman.kernel.Conntrack;
import io.pointsman.kernel.FlowTuple;
import java.util.List;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the stack begins while flows are handed over to it. */
class FlowExportTest extends BpfDataplaneFixture {
  private static final int SECONDS = 100;
  private static final long LONG_NANOS = 200_000_000_000L;
  private static final Address BACKEND = Address.parse("10.244.1.5");
  private static final Address CLIENT = Address.parse("198.51.100.9");
  private static final FlowKey LEFT =
      new FlowKey(
          Layout.CT_INGRESS,
          Address.parse("10.244.1.6"),
          8080,
          Address.parse("198.51.100.7"),
          61_009,
          Protocol.TCP.number());
  private static final Address NODE = Address.parse("198.51.100.7");

  FlowExportTest() {
    super(true);
  }

  /** The tuple that a new flow of the stack's shares with the one that is handed over. */
  private enum Shared {
    ORIGINAL,
    REPLY
  }

  /** A flow that the programs translate, masqueraded; with the tuple of its answers. */
  private record Flow(FlowKey forward, FlowKey towards, FlowKey answer, FlowKey back) {
    static Flow of(int protocol) {
      return new Flow(
          new FlowKey(Layout.CT_INGRESS, CLIENT, 40_000, NODE, 30_080, protocol),
          new FlowKey(Layout.CT_EGRESS, CLIENT, 40_000, BACKEND, 8080, protocol),
          new FlowKey(Layout.CT_INGRESS, BACKEND, 8080, NODE, 61_000, protocol),
          new FlowKey(Layout.CT_EGRESS, BACKEND, 8080, CLIENT, 40_000, protocol));
    }

    void write(FlowMap map) {
      int forwards = Layout.CT_FORWARD | Layout.CT_MASQUERADED;
      map.add(forward, entry(BACKEND, 8080, forwards));
      map.add(towards, entry(NODE, 61_000, forwards));
      map.add(answer, entry(CLIENT, 40_000, Layout.CT_MASQUERADED));
      map.add(back, entry(NODE, 30_080, Layout.CT_MASQUERADED));
    }

    private static FlowEntry entry(Address address, int port, int flags) {
      return new FlowEntry(address, port, flags, 0, Clock.bootNanos());
    }

    /** As the programs do when the stack sends a packet with one of its tuples. */
    void giveUp(FlowMap map) {
      List.of(forward, towards, answer, back).forEach(map::delete);
    }
  }

  /** Its answers' entry was pushed out; what conntrack has of it is not translated. */
  @Test
  void aFlowWhoseAnswersAreNotKnownIsHandedOverAsThePrograms() {
    Flow flow = Flow.of(Protocol.TCP.number());
    List<Conntrack.Flow> tracked =
        run(
            map -> {
              flow.write(map);
              FlowEntry back = map.find(flow.back).orElseThrow();
              map.replace(flow.back, back.with(Layout.CT_SEEN_REPLY));
              map.delete(flow.answer);
              add(flow.towards.tuple(), flow.towards.tuple().reversed());
            });
    assertThat(tracked)
        .filteredOn(found -> found.original().equals(flow.forward.tuple()))
        .singleElement()
        .returns(flow.answer.tuple(), Conntrack.Flow::reply);
  }

  @ParameterizedTest
  @EnumSource(Shared.class)
  void aNewFlowOfTheStacksKeepsTheTupleThatItHasTaken(Shared shared) {
    Flow flow = Flow.of(Protocol.TCP.number());
    FlowTuple original =
        shared == Shared.ORIGINAL
            ? flow.forward.tuple()
            : new FlowTuple(CLIENT.inet(), 40_001, NODE.inet(), 30_080, Protocol.TCP.number());
    FlowTuple reply =
        shared == Shared.REPLY
            ? flow.answer.tuple()
            : new FlowTuple(BACKEND.inet(), 8080, NODE.inet(), 61_001, Protocol.TCP.number());
    List<Conntrack.Flow> tracked =
        handOver(
            flow,
            map -> {
              add(original, reply);
              flow.giveUp(map);
            });
    assertThat(tracked)
        .singleElement()
        .returns(original, Conntrack.Flow::original)
        .returns(reply, Conntrack.Flow::reply);
  }

  @Test
  void whatTheStackHasLeftFromBeforeGivesWay() {
    Flow flow = Flow.of(Protocol.UDP.number());
    FlowTuple old =
        new FlowTuple(CLIENT.inet(), 39_999, NODE.inet(), 30_080, Protocol.UDP.number());
    List<Conntrack.Flow> tracked = handOver(flow, map -> add(old, flow.answer.tuple()));
    assertThat(tracked)
        .singleElement()
        .returns(flow.forward.tuple(), Conntrack.Flow::original)
        .returns(flow.answer.tuple(), Conntrack.Flow::reply);
  }

  /** As a stream that was asked for once; one that nobody feeds any more is over. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFlowWhoseClientOnlyListensIsHandedOver(boolean fed) {
    Flow flow = Flow.of(Protocol.UDP.number());
    List<Conntrack.Flow> tracked =
        run(
            map -> {
              flow.write(map);
              age(map, flow.forward);
              age(map, flow.towards);
              if (!fed) {
                age(map, flow.answer);
                age(map, flow.back);
              }
            });
    assertThat(tracked)
        .extracting(Conntrack.Flow::original)
        .isEqualTo(fed ? List.of(flow.forward.tuple()) : List.of());
  }

  /** Whether or not another flow has got the port that was meant for it. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aFlowThatTheStackMasqueradesTooIsHandedOverAsItsBackendKnowsIt(boolean given) {
    Flow flow = Flow.of(Protocol.TCP.number());
    FlowTuple known =
        new FlowTuple(BACKEND.inet(), 8080, NODE.inet(), 50_000, Protocol.TCP.number());
    List<Conntrack.Flow> tracked =
        run(
            map -> {
              flow.write(map);
              FlowEntry back = map.find(flow.back).orElseThrow();
              map.replace(flow.back, back.with(Layout.CT_SEEN_REPLY));
              if (given) {
                List.of(flow.towards, flow.answer).forEach(map::delete);
              }
              add(flow.towards.tuple(), known);
              // Left by an agent that was killed meanwhile.
              map.put(LEFT, FlowEntry.HELD_ANSWERS);
            });
    assertThat(tracked)
        .singleElement()
        .returns(flow.forward.tuple(), Conntrack.Flow::original)
        .returns(known, Conntrack.Flow::reply);
  }

  private static void age(FlowMap map, FlowKey key) {
    FlowEntry it = map.find(key).orElseThrow();
    long before = it.lastSeen() - LONG_NANOS;
    map.replace(key, new FlowEntry(it.address(), it.port(), it.flags(), it.service(), before));
  }

  /** Hands over what is written into the map; nothing is held afterwards. */
  private List<Conntrack.Flow> run(Between writing) {
    return tracked(
        (map, export) -> {
          writing.happens(map);
          export.run();
          map.forEach(
              (key, entry) -> assertThat(entry.has(Layout.CT_HELD)).as(key.toString()).isFalse());
        });
  }

  private interface Between {
    void happens(FlowMap map);
  }

  /** Hands the flow over, after something has happened that came after it was read. */
  private List<Conntrack.Flow> handOver(Flow flow, Between between) {
    return tracked(
        (map, export) -> {
          flow.write(map);
          FlowEntry entry = map.find(flow.forward).orElseThrow();
          List<FlowExport.Moving> read = List.of(export.moving(flow.forward, entry).orElseThrow());
          between.happens(map);
          export.handOver(read);
          assertThat(map.find(flow.forward)).isEmpty();
        });
  }

  /** What conntrack has after something was done with the maps of a prepared dataplane. */
  private List<Conntrack.Flow> tracked(BiConsumer<FlowMap, FlowExport> work) {
    return here(
        () -> {
          dataplane.prepare(Services.desired(List.of()));
          Pins pinned = new Pins(root);
          try (FlowMap map = new FlowMap(pinned.map(Layout.CT));
              FlowExport export = new FlowExport(pinned);
              Conntrack conntrack = new Conntrack()) {
            work.accept(map, export);
            return conntrack.read(false, any -> true);
          }
        });
  }

  private static void add(FlowTuple original, FlowTuple reply) {
    try (Conntrack conntrack = new Conntrack()) {
      conntrack.addTranslated(original, reply, false, SECONDS);
      conntrack.flush();
    }
  }
}
