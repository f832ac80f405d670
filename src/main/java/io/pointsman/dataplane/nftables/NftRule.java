// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import com.fasterxml.jackson.databind.JsonNode;
import io.pointsman.dataplane.KernelState.BackendAddress;
import java.util.ArrayList;
import java.util.List;

/** One rule: for which packets it is, and where it sends them. */
final class NftRule {
  /** Chains that it sends packets to, by goto, jump or a map of its own. */
  final List<String> chains = new ArrayList<>(1);

  /** Endpoints that it translates to. */
  final List<BackendAddress> endpoints = new ArrayList<>(0);

  /** Named maps that it looks packets up in. */
  final List<String> maps = new ArrayList<>(0);

  /** Whether it is for packets that come from certain places only: pods, or the node itself. */
  boolean bySource;

  /** Whether it is for clients that have an endpoint already. */
  boolean byAffinity;

  /** Whether packets do not go on behind it: goto, a map, a translation. */
  boolean ends;

  boolean masquerades;
  boolean refuses;

  /** Whether it chooses with other than equal shares, or leaves some packets without a choice. */
  boolean uneven;

  private NftRule() {}

  /** Reads the value of {@code expr}. */
  static NftRule parse(JsonNode expressions) {
    NftRule rule = new NftRule();
    for (JsonNode expression : expressions) {
      expression.fieldNames().forEachRemaining(name -> rule.read(name, expression.path(name)));
    }
    return rule;
  }

  private void read(String name, JsonNode value) {
    switch (name) {
      case "match" -> readMatch(value);
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
        // Marks, counters, sets that are filled: nothing that decides where a packet goes.
      }
    }
  }

  private void readMatch(JsonNode match) {
    JsonNode left = match.path("left");
    boolean source =
        left.path("payload").path("field").asText().equals("saddr")
            || left.path("fib").path("flags").toString().contains("saddr")
            || left.path("meta").path("key").asText().startsWith("iif");
    if (source && match.path("right").asText().startsWith("@")) {
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
