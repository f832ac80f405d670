// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

import io.pointsman.api.KubeProxyManagement;
import io.pointsman.api.KubeProxyState;
import io.pointsman.api.NodeDataplane;
import io.pointsman.api.NodeDataplaneSpec;
import io.pointsman.api.NodePlan;
import io.pointsman.api.ProxyDataplane;
import io.pointsman.api.Step;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a dry run would ask of one node, and what is known before its agent answers.
 *
 * @param plan where the node is, where it would go, and the steps between
 * @param spec what its agent would be asked; null when there is nothing to ask, because nothing
 *     would change or the node goes back to kube-proxy
 * @param ready whether the node is Ready
 */
public record Question(NodePlan plan, @Nullable NodeDataplaneSpec spec, boolean ready) {
  /**
   * The questions of a dry run of one of the view's resources, which need not be applied. Empty
   * when it is refused or being deleted.
   */
  public static List<Question> of(ClusterView view, ProxyDataplane dataplane) {
    Survey survey = RolloutPlanner.survey(view, dataplane);
    if (survey.refusal() != null || survey.deleting()) {
      return List.of();
    }
    return NodePlans.all(survey).stream().map(plan -> of(survey, plan)).toList();
  }

  private static Question of(Survey survey, NodePlan plan) {
    NodeView node = survey.view().nodes().get(plan.name);
    boolean ready = node != null && node.ready();
    String wanted = Words.of(Objects.requireNonNull(survey.dataplane().getSpec().linuxDataplane));
    boolean asked = !plan.steps.isEmpty() && plan.to.equals(wanted);
    return new Question(plan, asked ? spec(survey, plan.name) : null, ready);
  }

  private static NodeDataplaneSpec spec(Survey survey, String node) {
    NodeDataplaneSpec spec = new NodeDataplaneSpec();
    Target.write(spec, survey.dataplane(), survey.view().probe());
    spec.step = Step.PREFLIGHT;
    NodeDataplane ruled = survey.view().nodeDataplanes().get(node);
    if (survey.dataplane().getSpec().kubeProxy.management == KubeProxyManagement.MANAGED) {
      spec.kubeProxy =
          ruled == null || ruled.getSpec().kubeProxy == null
              ? KubeProxyState.ATTACHED
              : ruled.getSpec().kubeProxy;
    }
    return spec;
  }
}
