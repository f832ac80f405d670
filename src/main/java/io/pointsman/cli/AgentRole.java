// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import io.pointsman.agent.Agent;
import io.pointsman.agent.AgentHealth;
import io.pointsman.agent.AgentOptions;
import io.pointsman.kernel.CommandRunner;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The agent as the role of this process. */
final class AgentRole implements Role {
  private final AgentOptions options;
  private volatile @Nullable Agent agent;

  AgentRole(AgentOptions options) {
    this.options = options;
  }

  @Override
  public String name() {
    return "agent";
  }

  @Override
  public void start(Surroundings surroundings) {
    Agent made =
        new Agent(
            options,
            Agent.client(options, surroundings.client()),
            Agent.dataplanes(options),
            Agent.standIn(),
            new CommandRunner(),
            surroundings.meters());
    agent = made;
    made.start();
  }

  @Override
  public Optional<String> dead() {
    return trouble(AgentHealth::live);
  }

  @Override
  public boolean started() {
    return trouble(AgentHealth::started).isEmpty();
  }

  @Override
  public Optional<String> unready() {
    return trouble(AgentHealth::ready);
  }

  private Optional<String> trouble(Function<AgentHealth, AgentHealth.Answer> question) {
    Agent running = agent;
    if (running == null) {
      return Optional.of("not running");
    }
    AgentHealth.Answer answer = question.apply(running.health());
    return answer.up() ? Optional.empty() : Optional.of(answer.message());
  }

  @Override
  public Optional<String> probeAnswer() {
    return Optional.of(options.nodeName());
  }

  @Override
  public void close() {
    Agent running = agent;
    if (running != null) {
      running.close();
    }
  }
}
