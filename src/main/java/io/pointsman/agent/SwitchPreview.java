// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.LinuxDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodeDataplaneStatus;
import io.pointsman.catalogue.Catalogue;
import io.pointsman.catalogue.Digest;
import io.pointsman.catalogue.Problem;
import io.pointsman.catalogue.ServicePort;
import io.pointsman.dataplane.Dataplane;
import io.pointsman.dataplane.Dataplane.Phase;
import io.pointsman.dataplane.DataplaneException;
import io.pointsman.dataplane.DataplaneSettings;
import io.pointsman.dataplane.DesiredState;
import io.pointsman.dataplane.NodeFacts;
import io.pointsman.dataplane.Preflight;
import io.pointsman.dataplane.bpf.ForeignPins;
import io.pointsman.dataplane.kubeproxy.KubeProxyMode;
import io.pointsman.dataplane.kubeproxy.places.KubeProxyPlaces;
import io.pointsman.kernel.CommandRunner;
import io.pointsman.verify.kubeproxy.KubeProxyVerdict;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * What an agent would answer to Preflight, found out without one: the same findings and the same
 * plan, from Services that are handed over. Of kube-proxy it takes one look, where an agent waits
 * for it to follow: {@link KubeProxyPatience} is for that. Changes nothing.
 */
public final class SwitchPreview {
  private static final int REFUSED = 10;

  private final Map<LinuxDataplane, DataplaneSettings.Factory> factories;
  private final CommandRunner commands;
  private final Path bpffs;

  /**
   * With dataplanes as {@link Agent#dataplanes} names them.
   *
   * @param bpffs where dataplanes of others may have left pins
   */
  public SwitchPreview(
      Map<LinuxDataplane, DataplaneSettings.Factory> factories,
      CommandRunner commands,
      Path bpffs) {
    this.factories = Map.copyOf(factories);
    this.commands = commands;
    this.bpffs = bpffs;
  }

  /**
   * Looks and counts.
   *
   * @param spec what the operator would ask of this node
   * @return a status with {@code preflight}, {@code plan} and {@code refused}
   * @throws DataplaneException when there is no such dataplane, or it has no such settings
   */
  public NodeDataplaneStatus look(NodeDataplaneSpec spec, Catalogue catalogue) {
    LinuxDataplane kind = spec.linuxDataplane;
    DataplaneSettings.Factory factory = kind == null ? null : factories.get(kind);
    if (kind == null || factory == null) {
      throw new DataplaneException("There is no dataplane " + kind + " in this version.", null);
    }
    try (Dataplane target = factory.open(NodeSettings.of(spec))) {
      List<Preflight.Finding> findings = new ArrayList<>(target.preflight().findings());
      findings.addAll(ForwardingFindings.of(kind, catalogue, NodeFacts.HERE));
      if (kind != LinuxDataplane.BPF) {
        // Which says so itself.
        findings.addAll(ForeignPins.find(bpffs));
      }
      NodeDataplaneStatus status = new NodeDataplaneStatus();
      catalogue
          .problems(Problem.Effect.NOT_SERVED, REFUSED)
          .forEach(problem -> status.refused.add(problem.text()));
      withOthers(
          kind,
          others -> {
            KubeProxyCheck check = new KubeProxyCheck(Duration.ZERO, System::nanoTime);
            findings.addAll(ofKubeProxy(check, spec, catalogue));
            leftovers(check, kind, others).ifPresent(findings::add);
            status.plan =
                new SwitchPlanner(commands)
                    .plan(question(kind, spec, catalogue), target, others, check.rules());
          });
      status.preflight = Findings.of(new Preflight(findings), catalogue.problems());
      return status;
    }
  }

  /** Does something with all dataplanes but one. */
  private void withOthers(LinuxDataplane kind, Consumer<Map<LinuxDataplane, Dataplane>> work) {
    Map<LinuxDataplane, Dataplane> others = new EnumMap<>(LinuxDataplane.class);
    try {
      factories.forEach(
          (other, factory) -> {
            if (other != kind) {
              others.put(other, factory.open(DataplaneSettings.DEFAULTS));
            }
          });
      work.accept(others);
    } finally {
      others.values().forEach(Dataplane::close);
    }
  }

  private static SwitchQuestion question(
      LinuxDataplane kind, NodeDataplaneSpec spec, Catalogue catalogue) {
    List<ServicePort> ports = new ArrayList<>(catalogue.portCount());
    catalogue.forEachPort(ports::add);
    Digest digest = Digest.EMPTY;
    for (ServicePort port : ports) {
      digest = digest.plus(Digest.of(port));
    }
    return SwitchQuestion.of(
        kind, spec, new DesiredState(ports, NodeAddresses.ofNode(spec.nodePort.addresses), digest));
  }

  /** One look: whether what it finds passes is seen by who can list the Services anew. */
  private List<Preflight.Finding> ofKubeProxy(
      KubeProxyCheck check, NodeDataplaneSpec spec, Catalogue catalogue) {
    if (spec.kubeProxy != KubeProxyState.ATTACHED) {
      return List.of();
    }
    try {
      check.look(KubeProxyPlaces.of(commands), KubeProxyCheck.expected(catalogue));
    } catch (DataplaneException e) {
      return KubeProxyFindings.unreadable(e.getMessage());
    }
    return KubeProxyFindings.of(Objects.requireNonNull(check.verdict()));
  }

  /** What kube-proxies have left that Clean takes away, whether or not one is on the node. */
  private Optional<Preflight.Finding> leftovers(
      KubeProxyCheck check, LinuxDataplane kind, Map<LinuxDataplane, Dataplane> others) {
    KubeProxyCleaner cleaner = new KubeProxyCleaner(commands);
    Optional<KubeProxyMode> running =
        Optional.ofNullable(check.verdict()).flatMap(KubeProxyVerdict::mode);
    List<String> left =
        running.map(cleaner::leftovers).orElseGet(() -> cleaner.leftovers(ours(kind, others)));
    if (left.isEmpty()) {
      return Optional.empty();
    }
    String some = Chores.some(left);
    return Optional.of(
        running
            .map(mode -> KubeProxyFindings.leftovers(mode, some))
            .orElseGet(() -> KubeProxyFindings.leftovers(some)));
  }

  private static Set<LinuxDataplane> ours(
      LinuxDataplane kind, Map<LinuxDataplane, Dataplane> others) {
    Set<LinuxDataplane> ours = EnumSet.of(kind);
    others.forEach(
        (other, dataplane) -> {
          if (mayBeThere(dataplane)) {
            ours.add(other);
          }
        });
    return ours;
  }

  private static boolean mayBeThere(Dataplane dataplane) {
    try {
      return dataplane.phase() != Phase.ABSENT;
    } catch (DataplaneException e) {
      return true; // preflight says what hides it
    }
  }
}
