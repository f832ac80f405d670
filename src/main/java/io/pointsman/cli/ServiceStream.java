// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.discovery.v1.EndpointSlice;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Names;
import io.pointsman.catalogue.ServiceReader;
import io.pointsman.catalogue.SliceInput;
import io.pointsman.catalogue.SliceReader;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * The cluster's Services and slices on their way into a pod that may not ask for them: JSON, one
 * object a line, compressed. The reader knows the end by the compression, not by the pipe.
 */
final class ServiceStream {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String SERVICE = "S";
  private static final String SLICE = "E";
  private static final String END = ".";

  private final byte[] bytes;

  private ServiceStream(byte[] bytes) {
    this.bytes = bytes;
  }

  /** Lists them as they are now. */
  static ServiceStream of(KubernetesClient client) {
    try {
      return listed(client);
    } catch (IOException e) {
      throw new UncheckedIOException("put Services into JSON", e);
    }
  }

  private static ServiceStream listed(KubernetesClient client) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Writer out = new OutputStreamWriter(new GZIPOutputStream(bytes), StandardCharsets.UTF_8)) {
      for (Service each :
          client
              .services()
              .inAnyNamespace()
              .withLabelSelector(ServiceReader.SELECTOR)
              .list()
              .getItems()) {
        write(out, SERVICE, each);
      }
      for (EndpointSlice each :
          client
              .discovery()
              .v1()
              .endpointSlices()
              .inAnyNamespace()
              .withLabelSelector(SliceReader.SELECTOR)
              .list()
              .getItems()) {
        write(out, SLICE, each);
      }
      out.write(END + "\n");
    }
    return new ServiceStream(bytes.toByteArray());
  }

  private static void write(Writer out, String kind, HasMetadata object) throws IOException {
    object.getMetadata().setManagedFields(null);
    out.write(kind + MAPPER.writeValueAsString(object) + "\n");
  }

  InputStream input() {
    return new ByteArrayInputStream(bytes);
  }

  /** What a node gets to see of them. */
  Catalogue on(String node) {
    try {
      return read(input(), node);
    } catch (IOException e) {
      throw new UncheckedIOException("read what was listed", e);
    }
  }

  /**
   * Reads them as a node sees them.
   *
   * @throws IOException when it is something else, or not all of it
   */
  static Catalogue read(InputStream in, String node) throws IOException {
    Names names = new Names();
    ServiceReader services = new ServiceReader(names);
    SliceReader slices = new SliceReader(names);
    Catalogue catalogue = Catalogue.forNode(node);
    BufferedReader lines =
        new BufferedReader(new InputStreamReader(new GZIPInputStream(in), StandardCharsets.UTF_8));
    String line = lines.readLine();
    for (; line != null && !line.equals(END); line = lines.readLine()) {
      String object = line.substring(1);
      if (line.startsWith(SERVICE)) {
        catalogue.upsertService(services.read(MAPPER.readValue(object, Service.class)));
      } else {
        SliceInput input = slices.read(MAPPER.readValue(object, EndpointSlice.class));
        if (input != null) {
          catalogue.upsertSlice(input);
        }
      }
    }
    if (line == null) {
      throw new IOException("the list of Services was cut off");
    }
    return catalogue;
  }
}
