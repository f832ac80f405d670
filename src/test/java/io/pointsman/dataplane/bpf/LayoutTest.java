// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.kernel.Commands;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Asks a C compiler what bpf/layout.h means and compares. */
class LayoutTest {
  private static final Path HEADER = Path.of("bpf/layout.h").toAbsolutePath();

  @TempDir private Path folder;

  @Test
  void isWhatTheHeaderSays() throws IOException {
    Map<String, Integer> expected = new LinkedHashMap<>();
    services(expected);
    flowsAndSettings(expected);
    assertThat(ask(expected.keySet().stream().toList())).isEqualTo(expected);
  }

  private static void services(Map<String, Integer> expected) {
    expected.put("LAYOUT_VERSION", Layout.VERSION);
    expected.put("sizeof(struct addr)", Layout.ADDR_SIZE);
    expected.put("sizeof(struct nat_fe_key)", Layout.FE_KEY_SIZE);
    expected.put("offsetof(struct nat_fe_key, addr)", Layout.FE_KEY_ADDR);
    expected.put("offsetof(struct nat_fe_key, port)", Layout.FE_KEY_PORT);
    expected.put("offsetof(struct nat_fe_key, proto)", Layout.FE_KEY_PROTO);
    expected.put("offsetof(struct nat_fe_key, scope)", Layout.FE_KEY_SCOPE);
    expected.put("sizeof(struct nat_fe)", Layout.FE_SIZE);
    expected.put("offsetof(struct nat_fe, id)", Layout.FE_ID);
    expected.put("offsetof(struct nat_fe, count)", Layout.FE_COUNT);
    expected.put("offsetof(struct nat_fe, local)", Layout.FE_LOCAL);
    expected.put("offsetof(struct nat_fe, service)", Layout.FE_SERVICE);
    expected.put("offsetof(struct nat_fe, affinity)", Layout.FE_AFFINITY);
    expected.put("offsetof(struct nat_fe, flags)", Layout.FE_FLAGS);
    expected.put("offsetof(struct nat_fe, cursor)", Layout.FE_CURSOR);
    expected.put("offsetof(struct nat_fe, scheduler)", Layout.FE_SCHEDULER);
    expected.put("offsetof(struct nat_fe, terminating)", Layout.FE_TERMINATING);
    expected.put("offsetof(struct nat_fe, kind)", Layout.FE_KIND);
    expected.put("sizeof(struct nat_be_key)", Layout.BE_KEY_SIZE);
    expected.put("offsetof(struct nat_be_key, id)", Layout.BE_KEY_ID);
    expected.put("offsetof(struct nat_be_key, ordinal)", Layout.BE_KEY_ORDINAL);
    expected.put("sizeof(struct nat_be)", Layout.BE_SIZE);
    expected.put("offsetof(struct nat_be, addr)", Layout.BE_ADDR);
    expected.put("offsetof(struct nat_be, port)", Layout.BE_PORT);
    expected.put("offsetof(struct nat_be, weight)", Layout.BE_WEIGHT);
    expected.put("offsetof(struct nat_be, flags)", Layout.BE_FLAGS);
    expected.put("offsetof(struct nat_be, id)", Layout.BE_ID);
    expected.put("BE_LOCAL", Layout.BE_LOCAL);
  }

  private static void flowsAndSettings(Map<String, Integer> expected) {
    expected.put("sizeof(struct ct_key)", Layout.CT_KEY_SIZE);
    expected.put("offsetof(struct ct_key, saddr)", Layout.CT_KEY_SOURCE);
    expected.put("offsetof(struct ct_key, daddr)", Layout.CT_KEY_DESTINATION);
    expected.put("offsetof(struct ct_key, sport)", Layout.CT_KEY_SOURCE_PORT);
    expected.put("offsetof(struct ct_key, dport)", Layout.CT_KEY_DESTINATION_PORT);
    expected.put("offsetof(struct ct_key, proto)", Layout.CT_KEY_PROTO);
    expected.put("offsetof(struct ct_key, hook)", Layout.CT_KEY_HOOK);
    expected.put("CT_INGRESS", Layout.CT_INGRESS);
    expected.put("CT_EGRESS", Layout.CT_EGRESS);
    expected.put("CT_SOCKET", Layout.CT_SOCKET);
    expected.put("sizeof(struct ct)", Layout.CT_SIZE);
    expected.put("offsetof(struct ct, addr)", Layout.CT_ADDR);
    expected.put("offsetof(struct ct, port)", Layout.CT_PORT);
    expected.put("offsetof(struct ct, flags)", Layout.CT_FLAGS);
    expected.put("offsetof(struct ct, service)", Layout.CT_SERVICE);
    expected.put("offsetof(struct ct, last_seen)", Layout.CT_LAST_SEEN);
    expected.put("CT_FORWARD", Layout.CT_FORWARD);
    expected.put("CT_SEEN_REPLY", Layout.CT_SEEN_REPLY);
    expected.put("CT_CLOSING", Layout.CT_CLOSING);
    expected.put("CT_MASQUERADED", Layout.CT_MASQUERADED);
    expected.put("CT_STACK", Layout.CT_STACK);
    expected.put("CT_HELD", Layout.CT_HELD);
    expected.put("sizeof(struct device)", Layout.DEVICE_SIZE);
    expected.put("offsetof(struct device, v4)", Layout.DEVICE_V4);
    expected.put("offsetof(struct device, v6)", Layout.DEVICE_V6);
    expected.put("sizeof(struct config)", Layout.CONFIG_SIZE);
    expected.put("offsetof(struct config, phase)", Layout.CONFIG_PHASE);
    expected.put("offsetof(struct config, masquerade_low)", Layout.CONFIG_MASQUERADE_LOW);
    expected.put("offsetof(struct config, masquerade_high)", Layout.CONFIG_MASQUERADE_HIGH);
    expected.put("offsetof(struct config, host_netns)", Layout.CONFIG_HOST_NETNS);
    expected.put("offsetof(struct config, node_port_low)", Layout.CONFIG_NODE_PORT_LOW);
    expected.put("offsetof(struct config, node_port_high)", Layout.CONFIG_NODE_PORT_HIGH);
    expected.put("offsetof(struct config, udp_timeout)", Layout.CONFIG_UDP_TIMEOUT);
    expected.put("offsetof(struct config, stream_timeout)", Layout.CONFIG_STREAM_TIMEOUT);
    expected.put("PHASE_PREPARED * 100 + PHASE_ACTIVE * 10 + PHASE_DRAINING", 12);
    expected.put("FE_KIND_EXTERNAL_IP * 100 + FE_KIND_LOAD_BALANCER * 10 + FE_KIND_NODE_PORT", 123);
    expected.put("SCHED_RANDOM * 10 + SCHED_RR", 1);
    expected.put("COUNTER_MAX", Counter.values().length);
  }

  @Test
  void namesTheCountersInTheHeadersOrder() throws IOException {
    Matcher body =
        Pattern.compile("enum counter \\{(.*?)COUNTER_MAX", Pattern.DOTALL)
            .matcher(Files.readString(HEADER));
    assertThat(body.find()).isTrue();
    List<String> names =
        Pattern.compile("COUNTER_(\\w+)")
            .matcher(body.group(1))
            .results()
            .map(result -> result.group(1))
            .toList();
    assertThat(Stream.of(Counter.values()).map(Enum::name)).containsExactlyElementsOf(names);
  }

  private Map<String, Integer> ask(List<String> expressions) throws IOException {
    StringBuilder program = new StringBuilder();
    program.append("#include <stddef.h>\n#include <stdio.h>\n#include \"");
    program.append(HEADER).append("\"\nint main(void) {\n");
    expressions.forEach(
        expression -> program.append("printf(\"%ld\\n\", (long)(" + expression + "));\n"));
    program.append("return 0; }\n");
    Path source = folder.resolve("layout.c");
    Path binary = folder.resolve("layout");
    Files.writeString(source, program);
    Commands.run("clang", source.toString(), "-o", binary.toString());
    List<String> lines = Commands.run(binary.toString()).lines().toList();
    Map<String, Integer> answers = new LinkedHashMap<>();
    for (int i = 0; i < expressions.size(); i++) {
      answers.put(expressions.get(i), Integer.parseInt(lines.get(i)));
    }
    return answers;
  }
}
