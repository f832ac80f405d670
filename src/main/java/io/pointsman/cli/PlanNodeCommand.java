// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.pointsman.agent.Agent;
import io.pointsman.agent.AgentOptions;
import io.pointsman.agent.SwitchPreview;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.kernel.CommandRunner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What 'pointsman plan' runs in its pod on each node. */
@Command(
    name = "plan-node",
    description =
        "Prints as JSON what Preflight finds on this node and what a switch would do; reads the"
            + " cluster's Services from standard input, as 'pointsman plan' sends them. Changes"
            + " nothing.",
    hidden = true,
    mixinStandardHelpOptions = true)
final class PlanNodeCommand implements Callable<Integer> {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Spec private @Nullable CommandSpec spec;
  @Mixin private BpffsOption bpffs = new BpffsOption();

  @Option(names = "--node", required = true, description = "The Node's name.")
  private String node = "";

  @Option(
      names = "--spec",
      required = true,
      description = "What the operator would ask of the node, a NodeDataplane's spec as JSON.")
  private String wanted = "";

  @Override
  public Integer call() throws IOException {
    NodeDataplaneSpec asked;
    AgentOptions options;
    try {
      asked = MAPPER.readValue(wanted, NodeDataplaneSpec.class);
      options =
          new AgentOptions(
              node, bpffs.path(), Optional.empty(), Path.of("/nowhere"), Version.current());
    } catch (JsonProcessingException | IllegalArgumentException wrong) {
      throw new ParameterException(
          Objects.requireNonNull(spec).commandLine(), "--spec: " + wrong.getMessage(), wrong);
    }
    Catalogue catalogue = ServiceStream.read(System.in, node);
    NodeDataplaneStatus status =
        new SwitchPreview(Agent.dataplanes(options), new CommandRunner(), bpffs.path())
            .look(asked, catalogue);
    Objects.requireNonNull(spec).commandLine().getOut().println(MAPPER.writeValueAsString(status));
    return 0;
  }
}
