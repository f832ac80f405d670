// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One table as {@code nft -j list table} writes it, taken object by object. */
final class NftTable {
  private static final JsonMapper MAPPER = new JsonMapper();

  private final Map<String, NftChain> chains = new HashMap<>();
  private final Map<String, List<NftEntry>> maps = new HashMap<>();
  private long entries;

  /** A chain; one with a hook is entered by packets. */
  static final class NftChain {
    final String name;
    final String type;
    final String hook;
    final List<NftRule> rules = new ArrayList<>(2);

    NftChain(String name, String type, String hook) {
      this.name = name;
      this.type = type;
      this.hook = hook;
    }
  }

  /**
   * An entry of a verdict map.
   *
   * @param key the parts of the key
   * @param target the chain that it sends packets to, null when it drops them
   * @param comment empty when there is none
   */
  record NftEntry(List<JsonNode> key, @Nullable String target, String comment) {}

  /** Reads all objects of the output. */
  void read(Reader output) throws IOException {
    try (JsonParser parser = MAPPER.createParser(output)) {
      while (parser.nextToken() != null && parser.currentToken() != JsonToken.START_ARRAY) {
        // {"nftables": comes first
      }
      while (parser.nextToken() == JsonToken.START_OBJECT) {
        JsonNode object = MAPPER.readTree(parser);
        object.fieldNames().forEachRemaining(kind -> accept(kind, object.path(kind)));
      }
    }
  }

  private void accept(String kind, JsonNode object) {
    String name = object.path("name").asText();
    switch (kind) {
      case "chain" ->
          chains.put(
              name, new NftChain(name, object.path("type").asText(), object.path("hook").asText()));
      case "map" -> {
        entries += object.path("elem").size();
        maps.put(name, entries(object.path("elem")));
      }
      case "rule" -> {
        entries++;
        NftChain chain = chains.get(object.path("chain").asText());
        if (chain != null) {
          chain.rules.add(NftRule.parse(object.path("expr")));
        }
      }
      case "set" -> entries += object.path("elem").size();
      default -> {
        // The table itself, and counters.
      }
    }
  }

  private static List<NftEntry> entries(JsonNode elements) {
    List<NftEntry> entries = new ArrayList<>(elements.size());
    for (JsonNode pair : elements) {
      JsonNode key = pair.path(0);
      String comment = key.path("elem").path("comment").asText();
      JsonNode value = key.has("elem") ? key.path("elem").path("val") : key;
      List<JsonNode> parts = new ArrayList<>(3);
      value.path("concat").forEach(parts::add);
      JsonNode target = pair.path(1).path("goto").path("target");
      entries.add(new NftEntry(parts, target.isMissingNode() ? null : target.asText(), comment));
    }
    return entries;
  }

  /** How many rules and elements of maps and sets there are. */
  long entries() {
    return entries;
  }

  /** A chain by its name, null when it is not there. */
  @Nullable NftChain chain(String name) {
    return chains.get(name);
  }

  /** The entries of a verdict map; none when it is not there. */
  List<NftEntry> map(String name) {
    return maps.getOrDefault(name, List.of());
  }

  /** The rules that packets of one kind of chain can come to, from this hook on. */
  List<NftRule> reached(String type, String hook) {
    Set<String> passed = new HashSet<>();
    List<NftRule> rules = new ArrayList<>();
    for (NftChain chain : chains.values()) {
      if (chain.type.equals(type) && chain.hook.equals(hook)) {
        reach(chain, passed, rules);
      }
    }
    return rules;
  }

  private void reach(NftChain chain, Set<String> passed, List<NftRule> rules) {
    if (!passed.add(chain.name)) {
      return;
    }
    for (NftRule rule : chain.rules) {
      rules.add(rule);
      for (String next : rule.chains) {
        NftChain target = chains.get(next);
        if (target != null) {
          reach(target, passed, rules);
        }
      }
    }
  }
}
