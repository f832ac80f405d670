// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.LinkedHashMap;
import java.util.Map;

/** Bare requests to an {@link ApiServer}: what is sent and what comes back is seen as it is. */
public final class RestClient implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http;
  private final String url;
  private final Map<String, String> headers;

  private RestClient(HttpClient http, String url, Map<String, String> headers) {
    this.http = http;
    this.url = url;
    this.headers = headers;
  }

  /** The server answered with a status of 400 or more; the message is the server's. */
  public static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final int code;

    Refused(int code, String message) {
      super(message);
      this.code = code;
    }

    /** The HTTP status. */
    public int code() {
      return code;
    }
  }

  /** A client of the group system:masters. */
  public static RestClient of(ApiServer server) {
    return withToken(server, ControlPlane.TOKEN);
  }

  /** A client that shows this bearer token. */
  public static RestClient withToken(ApiServer server, String token) {
    Map<String, String> headers = new LinkedHashMap<>();
    headers.put("Authorization", "Bearer " + token);
    headers.put("Accept", "application/json");
    return new RestClient(server.http(), server.url(), headers);
  }

  /** This client with another value of a header. */
  public RestClient with(String header, String value) {
    Map<String, String> changed = new LinkedHashMap<>(headers);
    changed.put(header, value);
    return new RestClient(http, url, changed);
  }

  /** Reads an object. */
  public JsonNode get(String path) {
    return send("GET", path, "application/json", null);
  }

  /** Creates an object. */
  public JsonNode post(String path, JsonNode body) {
    return send("POST", path, "application/json", body);
  }

  /** Replaces an object. */
  public JsonNode put(String path, JsonNode body) {
    return send("PUT", path, "application/json", body);
  }

  /** Applies an object on the server's side as a field manager. */
  public JsonNode apply(String path, String fieldManager, JsonNode body) {
    String query = (path.contains("?") ? "&" : "?") + "force=true&fieldManager=" + fieldManager;
    return send("PATCH", path + query, "application/apply-patch+yaml", body);
  }

  /** Changes an object by a JSON merge patch. */
  public JsonNode merge(String path, JsonNode body) {
    return send("PATCH", path, "application/merge-patch+json", body);
  }

  /** Deletes an object. */
  public JsonNode delete(String path) {
    return send("DELETE", path, "application/json", null);
  }

  private JsonNode send(
      String method, String path, String type, @org.jspecify.annotations.Nullable JsonNode body) {
    var publisher =
        body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body.toString());
    var request =
        HttpRequest.newBuilder(URI.create(url + path))
            .method(method, publisher)
            .header("Content-Type", type);
    headers.forEach(request::setHeader);
    try {
      return answer(http.send(request.build(), BodyHandlers.ofString()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted at %s %s".formatted(method, path), e);
    }
  }

  private static JsonNode answer(HttpResponse<String> response) throws JsonProcessingException {
    JsonNode answer = JSON.readTree(response.body());
    if (response.statusCode() >= 400) {
      throw new Refused(response.statusCode(), answer.path("message").asText(response.body()));
    }
    return answer;
  }

  @Override
  public void close() {
    http.close();
  }
}
