// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.nftables;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One table as {@code nft -j list table} writes it, taken object by object. */
final class NftTable {
  private static final JsonMapper MAPPER = new JsonMapper();

  private final Map<String, NftChain> chains = new HashMap<>();
  private final Map<String, List<NftEntry>> maps = new HashMap<>();
  private final Map<String, Integer> sets = new HashMap<>();
  private long entries;

  /** A chain; one with a hook is entered by packets. */
  static final class NftChain {
    final String name;
    final String type;
    final String hook;

    /** Whether it drops what its rules leave undecided. */
    final boolean drops;

    final List<NftRule> rules = new ArrayList<>(2);

    NftChain(JsonNode object) {
      this.name = object.path("name").asText();
      this.type = object.path("type").asText();
      this.hook = object.path("hook").asText();
      this.drops = object.path("policy").asText().equals("drop");
    }

    /** Whether packets enter it without a jump. */
    boolean isBase() {
      return !hook.isEmpty();
    }

    /** Whether it belongs to one Service port: only names of these have a slash. */
    boolean ofPort() {
      return name.indexOf('/') >= 0;
    }
  }

  /**
   * Where new connections come to from one hook on.
   *
   * @param rules that some of them come to
   * @param refusing the chain that refuses all of them at last, null when none does
   */
  record Reached(List<NftRule> rules, @Nullable String refusing) {}

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
      case "chain" -> chains.put(name, new NftChain(object));
      case "map" -> {
        entries += object.path("elem").size();
        maps.put(name, entries(object.path("elem")));
      }
      case "rule" -> {
        entries++;
        NftChain chain = chains.get(object.path("chain").asText());
        if (chain != null) {
          chain.rules.add(NftRule.parse(object));
        }
      }
      case "set" -> {
        entries += object.path("elem").size();
        sets.put(name, object.path("elem").size());
      }
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

  /** Whether a set holds nothing, or is not there. */
  boolean isEmpty(String set) {
    return sets.getOrDefault(set, 0) == 0;
  }

  /** All chains. */
  Collection<NftChain> chains() {
    return chains.values();
  }

  /** The way of new connections through one kind of chain, from this hook on. */
  Reached reached(String type, String hook) {
    Walk walk = new Walk();
    String refusing = null;
    for (NftChain chain : chains.values()) {
      if (chain.type.equals(type) && chain.hook.equals(hook)) {
        boolean on = walk.through(chain);
        if (on && chain.drops) {
          refusing = chain.name;
        }
      }
    }
    return new Reached(walk.rules, refusing == null ? walk.refusing : refusing);
  }

  /** Follows all new connections at once; where only some go another way, it goes both. */
  private final class Walk {
    private final Map<String, Boolean> passed = new HashMap<>();
    private final List<NftRule> rules = new ArrayList<>();
    private @Nullable String refusing;

    /** Takes all of a chain's rules that are come to; returns whether any come out behind it. */
    boolean through(NftChain chain) {
      Boolean before = passed.putIfAbsent(chain.name, true);
      if (before != null) {
        return before;
      }
      boolean on = rules(chain);
      passed.put(chain.name, on);
      return on;
    }

    private boolean rules(NftChain chain) {
      for (NftRule rule : chain.rules) {
        rules.add(rule);
        boolean on = true;
        for (String next : rule.chains) {
          NftChain target = chains.get(next);
          on &= target == null || through(target);
        }
        if (rule.endsAll() || !on && !rule.isConditional()) {
          if (on && rule.refuses) {
            refusing = chain.name;
          }
          return false;
        }
        if (rule.endsChain()) {
          return true;
        }
      }
      return true;
    }
  }
}
