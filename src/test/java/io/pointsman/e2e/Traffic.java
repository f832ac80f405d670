// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** Load from the lab's {@code traffic} program: a new connection per request, counted by phase. */
public final class Traffic implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SECONDS_TO_END = 30;

  private final String name;
  private final Process process;
  private final Writer input;
  private final Thread reader;
  private final List<JsonNode> lines = new ArrayList<>();

  private Traffic(String name, Process process) {
    this.name = name;
    this.process = process;
    this.input = process.outputWriter(StandardCharsets.UTF_8);
    this.reader = Thread.ofVirtual().start(this::read);
  }

  /**
   * Starts a command line that ends in {@code traffic …}.
   *
   * @param name what the load is called in messages
   */
  public static Traffic start(String name, List<String> command) {
    try {
      return new Traffic(
          name, new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start());
    } catch (IOException e) {
      throw new UncheckedIOException("traffic '" + name + "' does not start", e);
    }
  }

  /** Runs a command line in silence; whether it ended well. */
  static boolean passes(List<String> command) {
    try {
      var process =
          new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      process.getOutputStream().close();
      return process.waitFor() == 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** What the load is called. */
  public String name() {
    return name;
  }

  /** Ends the phase that is under way and begins one of that name. */
  public void phase(String phase) {
    try {
      input.write(phase + "\n");
      input.flush();
    } catch (IOException e) {
      throw new UncheckedIOException("traffic '" + name + "' has ended: " + lines(), e);
    }
  }

  /** How many requests have been told so far; needs {@code --progress}. */
  public long requests() {
    var ended = 0L;
    var current = 0L;
    for (var line : lines()) {
      switch (line.path("event").asText()) {
        case "phase" -> {
          ended += line.path("requests").asLong();
          current = 0;
        }
        case "progress" -> current = line.path("requests").asLong();
        default -> {} // the summary has nothing new
      }
    }
    return ended + current;
  }

  /** Ends the load and returns what it counted, a phase an element. */
  public List<Phase> finish() {
    try {
      // kubectl gives every write a minute from the one before, also the one that says the end.
      input.write("\n");
      input.flush();
      // The end of its input ends a load that runs behind kubectl exec, which forwards no signal.
      input.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return join();
  }

  /** Waits for a load that ends by itself and returns what it counted. */
  public List<Phase> join() {
    try {
      if (!process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS)) {
        process.destroy();
        process.waitFor(SECONDS_TO_END, TimeUnit.SECONDS);
      }
      reader.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    var lines = lines();
    if (lines.stream().noneMatch(line -> line.path("event").asText().equals("summary"))) {
      throw new IllegalStateException("traffic '" + name + "' was cut off: " + lines);
    }
    return lines.stream()
        .filter(line -> line.path("event").asText().equals("phase"))
        .map(Phase::of)
        .toList();
  }

  private void read() {
    try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      for (var line = out.readLine(); line != null; line = out.readLine()) {
        var json = JSON.readTree(line);
        synchronized (lines) {
          lines.add(json);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("traffic '" + name + "' writes no JSON", e);
    }
  }

  private List<JsonNode> lines() {
    synchronized (lines) {
      return List.copyOf(lines);
    }
  }

  /** Ends the load, whatever it counted. */
  @Override
  public void close() {
    // By its handle: Process.destroy would close the pipe under the reader's hands.
    process.toHandle().destroy();
  }

  /**
   * What was counted between two calls of {@link Traffic#phase}; times in microseconds.
   *
   * @param resent messages that were sent again, because they had no answer for long
   * @param max the longest time for an answer
   * @param answers who answered, as "TARGET SERVER", where the kind of load knows it
   * @param means the mean time of an answer by target
   */
  public record Phase(
      String name,
      long requests,
      long failed,
      long resent,
      long p50,
      long p99,
      long max,
      double perSecond,
      Set<String> answers,
      Map<String, Double> means,
      String errors) {
    static Phase of(JsonNode json) {
      return new Phase(
          json.path("phase").asText(),
          json.path("requests").asLong(),
          json.path("failed").asLong() + json.path("brokenConnections").asLong(),
          json.path("resent").asLong(),
          json.path("p50Micros").asLong(),
          json.path("p99Micros").asLong(),
          json.path("maxMicros").asLong(),
          json.path("requestsPerSecond").asDouble(),
          answers(json.path("answers")),
          means(json.path("meanMicros")),
          json.path("errors").toString());
    }

    private static Map<String, Double> means(JsonNode times) {
      var means = new TreeMap<String, Double>();
      times.fieldNames().forEachRemaining(name -> means.put(name, times.path(name).asDouble()));
      return means;
    }

    private static Set<String> answers(JsonNode counts) {
      var names = new TreeSet<String>();
      counts.fieldNames().forEachRemaining(names::add);
      return names;
    }
  }
}
