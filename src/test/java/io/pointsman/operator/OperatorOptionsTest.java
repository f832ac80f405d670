// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.apps.DaemonSet;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OperatorOptionsTest {
  private static final Map<String, String> ENVIRONMENT =
      Map.ofEntries(
          entry("POINTSMAN_NAMESPACE", "pointsman-system"),
          entry("POINTSMAN_AGENT_IMAGE", "example.test/pointsman:1"),
          entry("POINTSMAN_AGENT_IMAGE_PULL_POLICY", "Always"),
          entry("POINTSMAN_AGENT_SERVICE_ACCOUNT", "agents"),
          entry("POINTSMAN_AGENT_RESOURCES", "{\"limits\":{\"memory\":\"512Mi\"}}"),
          entry("POINTSMAN_AGENT_TOLERATIONS", "[{\"key\":\"a\",\"operator\":\"Exists\"}]"),
          entry("POINTSMAN_AGENT_IMAGE_PULL_SECRETS", "[{\"name\":\"secret\"}]"),
          entry("POINTSMAN_AGENT_PRIORITY_CLASS", "own-class"),
          entry("POINTSMAN_AGENT_CAPABILITIES", "[\"BPF\",\"NET_RAW\"]"),
          entry(
              "POINTSMAN_AGENT_ENVIRONMENT",
              "{\"POINTSMAN_MAP_FLOWS\":\"9\",\"POINTSMAN_LOG_LEVEL\":\"DEBUG\"}"),
          entry("HOSTNAME", "operator-1"));

  @Test
  void theAgentsAreMadeOfTheEnvironment() {
    OperatorOptions options = OperatorOptions.fromEnvironment(ENVIRONMENT, "1");
    DaemonSet daemonSet = AgentDaemonSet.desired(options);
    var pod = daemonSet.getSpec().getTemplate().getSpec();
    Container agent = pod.getContainers().getFirst();

    assertThat(options.identity()).isEqualTo("operator-1");
    assertThat(daemonSet.getMetadata().getNamespace()).isEqualTo("pointsman-system");
    assertThat(pod.getServiceAccountName()).isEqualTo("agents");
    assertThat(pod.getPriorityClassName()).isEqualTo("own-class");
    assertThat(pod.getTolerations()).singleElement().matches(it -> it.getKey().equals("a"));
    assertThat(pod.getImagePullSecrets())
        .singleElement()
        .matches(it -> it.getName().equals("secret"));
    assertThat(agent.getImage()).isEqualTo("example.test/pointsman:1");
    assertThat(agent.getImagePullPolicy()).isEqualTo("Always");
    assertThat(agent.getResources().getLimits()).containsEntry("memory", new Quantity("512Mi"));
    assertThat(agent.getSecurityContext().getCapabilities().getAdd())
        .containsExactly("BPF", "NET_RAW");
    assertThat(agent.getEnv())
        .extracting(variable -> variable.getName() + "=" + variable.getValue())
        .endsWith("POINTSMAN_LOG_LEVEL=DEBUG", "POINTSMAN_MAP_FLOWS=9");
  }

  @Test
  void theTemplateAsksForNoMoreThanItNeeds() {
    Map<String, String> least = new HashMap<>(ENVIRONMENT);
    least.keySet().removeIf(key -> !key.matches("POINTSMAN_(NAMESPACE|AGENT_IMAGE)"));
    var pod =
        AgentDaemonSet.desired(OperatorOptions.fromEnvironment(least, "1"))
            .getSpec()
            .getTemplate()
            .getSpec();
    var context = pod.getContainers().getFirst().getSecurityContext();

    assertThat(pod.getHostNetwork()).isTrue();
    assertThat(pod.getHostPID()).isNull();
    assertThat(pod.getPriorityClassName()).isEqualTo("system-node-critical");
    assertThat(pod.getTolerations()).singleElement().matches(it -> it.getKey() == null);
    assertThat(context.getPrivileged()).isFalse();
    assertThat(context.getAllowPrivilegeEscalation()).isFalse();
    assertThat(context.getReadOnlyRootFilesystem()).isTrue();
    assertThat(context.getCapabilities().getDrop()).containsExactly("ALL");
    assertThat(context.getCapabilities().getAdd())
        .containsExactlyInAnyOrder("BPF", "NET_ADMIN", "NET_RAW", "PERFMON");
    assertThat(pod.getSecurityContext().getSeccompProfile().getType()).isEqualTo("RuntimeDefault");
    assertThat(context.getSeccompProfile()).isNull();
    assertThat(pod.getContainers()).hasSize(1);
    assertThat(pod.getInitContainers()).isEmpty();
    assertThat(pod.getVolumes())
        .filteredOn(volume -> volume.getHostPath() != null)
        .extracting(volume -> volume.getHostPath().getPath())
        .containsExactlyInAnyOrder(
            "/sys/fs/bpf",
            "/sys/fs/cgroup",
            "/run/xtables.lock",
            "/proc/sys/net/ipv4",
            "/lib/modules");
  }

  /** Either of them lets no unprivileged container make pins in /sys/fs/bpf. */
  @Test
  void appArmorAndSeLinuxLeaveTheAgentsAlone() {
    var context =
        AgentDaemonSet.desired(OperatorOptions.fromEnvironment(ENVIRONMENT, "1"))
            .getSpec()
            .getTemplate()
            .getSpec()
            .getContainers()
            .getFirst()
            .getSecurityContext();

    assertThat(context.getAppArmorProfile().getType()).isEqualTo("Unconfined");
    assertThat(context.getSeLinuxOptions().getType()).isEqualTo("spc_t");
  }

  @ParameterizedTest
  @CsvSource({
    "POINTSMAN_NAMESPACE,'',POINTSMAN_NAMESPACE is not set",
    "POINTSMAN_AGENT_IMAGE,'',POINTSMAN_AGENT_IMAGE is not set",
    "POINTSMAN_AGENT_IMAGE_PULL_POLICY,Often,'Always, IfNotPresent or Never'",
    "POINTSMAN_AGENT_RESOURCES,[],POINTSMAN_AGENT_RESOURCES is not the JSON it should be",
    "POINTSMAN_AGENT_TOLERATIONS,{,POINTSMAN_AGENT_TOLERATIONS is not the JSON it should be",
    "POINTSMAN_AGENT_ENVIRONMENT,[],POINTSMAN_AGENT_ENVIRONMENT is not the JSON it should be",
    "POINTSMAN_AGENT_CAPABILITIES,BPF,POINTSMAN_AGENT_CAPABILITIES is not the JSON it should be"
  })
  void whatIsWrongIsNamed(String name, String value, String message) {
    Map<String, String> wrong = new HashMap<>(ENVIRONMENT);
    wrong.put(name, value);

    assertThatThrownBy(() -> OperatorOptions.fromEnvironment(wrong, "1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
