// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.dataplane.KernelState.BackendAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** One rule: for which packets it is, and where it sends them. */
final class NftRule {
  /** Statements behind which nobody in the same hook sees a packet. */
  private static final Set<String> LAST =
      Set.of("accept", "drop", "reject", "dnat", "snat", "redirect", "masquerade");

  /** Other statements that every packet passes which comes to them; the rest may choose some. */
  private static final Set<String> UNCONDITIONAL =
      Set.of("return", "goto", "jump", "mangle", "log");

  /** Chains that it sends packets to, by goto, jump or a map of its own. */
  final List<String> chains = new ArrayList<>(1);

  /** Endpoints that it translates to. */
  final List<BackendAddress> endpoints = new ArrayList<>(0);

  /** Named maps that it looks packets up in. */
  final List<String> maps = new ArrayList<>(0);

  /** Named sets that it wants the address of destination to be in. */
  final List<String> destinations = new ArrayList<>(0);

  /** What it does in its order, by libnftables-json's names; without matches and counters. */
  final List<String> statements = new ArrayList<>(2);

  /** By what nft names it. */
  final int handle;

  /** Whether it is for packets that come from certain places only: pods, or the node itself. */
  boolean bySource;

  /** Whether it is for clients that have an endpoint already. */
  boolean byAffinity;

  /** Whether it wants more of a packet than that its connection is new. */
  boolean matches;

  /** Whether packets do not go on behind it: goto, a map, a translation. */
  boolean ends;

  boolean masquerades;
  boolean refuses;

  /** Whether it chooses with other than equal shares, or leaves some packets without a choice. */
  boolean uneven;

  private NftRule(int handle) {
    this.handle = handle;
  }

  /** Reads a rule's object. */
  static NftRule parse(JsonNode object) {
    NftRule rule = new NftRule(object.path("handle").asInt());
    for (JsonNode expression : object.path("expr")) {
      expression.fieldNames().forEachRemaining(name -> rule.read(name, expression.path(name)));
    }
    return rule;
  }

  /** Whether it does these things in this order, and no others. */
  boolean does(String... wanted) {
    return statements.equals(List.of(wanted));
  }

  /** Whether no new connection is seen by anybody behind it, in the whole hook. */
  boolean endsAll() {
    return !isConditional() && statements.stream().anyMatch(LAST::contains);
  }

  /** Whether no new connection comes to the rules behind it in its chain. */
  boolean endsChain() {
    return !isConditional() && (statements.contains("return") || statements.contains("goto"));
  }

  /** Whether it may be for some new connections only. */
  boolean isConditional() {
    return matches
        || !statements.stream().allMatch(it -> LAST.contains(it) || UNCONDITIONAL.contains(it));
  }

  private void read(String name, JsonNode value) {
    switch (name) {
      case "match" -> readMatch(value);
      case "counter" -> {}
      default -> {
        statements.add(name);
        readStatement(name, value);
      }
    }
  }

  private void readStatement(String name, JsonNode value) {
    switch (name) {
      case "goto" -> {
        chains.add(value.path("target").asText());
        ends = true;
      }
      case "jump" -> chains.add(value.path("target").asText());
      case "vmap" -> readVerdicts(value);
      case "dnat" -> readTranslation(value);
      case "masquerade" -> masquerades = true;
      case "drop", "reject" -> refuses = true;
      default -> {
        // Marks, sets that are filled: nothing that decides where a packet goes.
      }
    }
  }

  private void readMatch(JsonNode match) {
    JsonNode left = match.path("left");
    String right = match.path("right").asText();
    boolean plain = !match.path("op").asText().equals("!=");
    boolean fresh = left.path("ct").path("key").asText().equals("state");
    matches |= !(fresh && plain && match.path("right").toString().contains("\"new\""));
    boolean set = right.startsWith("@");
    if (set && plain && left.path("payload").path("field").asText().equals("daddr")) {
      destinations.add(right.substring(1));
    }
    boolean source =
        left.path("payload").path("field").asText().equals("saddr")
            || left.path("fib").path("flags").toString().contains("saddr")
            || left.path("meta").path("key").asText().startsWith("iif");
    if (source && set) {
      byAffinity = true;
    } else {
      bySource |= source;
    }
  }

  private void readVerdicts(JsonNode vmap) {
    ends = true;
    JsonNode data = vmap.path("data");
    if (data.isTextual()) {
      maps.add(data.asText().substring(1));
      return;
    }
    for (JsonNode pair : data.path("set")) {
      chains.add(pair.path(1).path("goto").path("target").asText());
    }
    checkShares(vmap.path("key"), data.path("set"));
  }

  private void readTranslation(JsonNode dnat) {
    ends = true;
    JsonNode map = dnat.path("addr").path("map");
    if (map.isMissingNode()) {
      endpoints.add(new BackendAddress(Json.address(dnat.path("addr")), dnat.path("port").asInt()));
      return;
    }
    for (JsonNode pair : map.path("data").path("set")) {
      JsonNode to = pair.path(1).path("concat");
      endpoints.add(new BackendAddress(Json.address(to.path(0)), to.path(1).asInt()));
    }
    checkShares(map.path("key"), map.path("data").path("set"));
  }

  /** A number below the modulus is drawn: each must be there, and once. */
  private void checkShares(JsonNode key, JsonNode set) {
    JsonNode numgen = key.path("numgen");
    if (!numgen.isMissingNode()) {
      uneven |= numgen.path("mod").asInt() != set.size();
    }
  }
}
