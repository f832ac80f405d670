// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationContext;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.deser.std.StdDeserializer;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import io.pointsman.catalogue.Address;
import io.pointsman.dataplane.kubeproxy.KubeProxyState;
import java.io.IOException;
import java.io.Writer;
import java.util.List;

/** The form in which a node tells what kube-proxy has in its kernel. */
final class KubeProxyJson {
  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
          .addModule(
              new SimpleModule()
                  .addSerializer(Address.class, new AddressWriter())
                  .addDeserializer(Address.class, new AddressReader()))
          .build();

  private KubeProxyJson() {}

  static void write(Writer out, List<KubeProxyState> states) throws IOException {
    MAPPER.writerFor(new TypeReference<List<KubeProxyState>>() {}).writeValue(out, states);
  }

  /**
   * Reads what {@link #write} has written.
   *
   * @throws JsonProcessingException when it is something else, or not all of it
   */
  static List<KubeProxyState> read(String text) throws JsonProcessingException {
    return MAPPER.readValue(text, new TypeReference<List<KubeProxyState>>() {});
  }

  private static final class AddressWriter extends StdSerializer<Address> {
    AddressWriter() {
      super(Address.class);
    }

    @Override
    public void serialize(Address value, JsonGenerator out, SerializerProvider provider)
        throws IOException {
      out.writeString(value.toString());
    }
  }

  private static final class AddressReader extends StdDeserializer<Address> {
    AddressReader() {
      super(Address.class);
    }

    @Override
    public Address deserialize(JsonParser in, DeserializationContext context) throws IOException {
      return Address.parse(in.getText());
    }
  }
}
