// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.kernel.Iptables.View;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The tables as the stand-in sees them (ADR 8): its chains have names of their own in the kernel,
 * and those of kube-proxy's names are somebody else's. So it can be there beside them, and lose
 * nothing when a kube-proxy deletes what it knows.
 */
final class StandInView implements View {
  static final StandInView INSTANCE = new StandInView();

  /** As long as it can be: with what follows, chains of Service ports have the 28 letters. */
  static final String PREFIX = "STANDIN-";

  /** All of its chains, by table. */
  static final Map<String, Pattern> CHAINS =
      Map.of(
          Table.NAT.text(), Pattern.compile(PREFIX + ".*"),
          Table.FILTER.text(), Pattern.compile(PREFIX + ".*"));

  private static final String STATE = PREFIX + "STATE";
  private static final String KUBE = "KUBE-";

  /** The kubelet's own, which are shared with everybody. */
  private static final String KUBELETS = "(?:FIREWALL|KUBELET-CANARY|IPTABLES-HINT)(?![A-Z0-9-])";

  private static final Pattern RENAMED = Pattern.compile("KUBE-(?!" + KUBELETS + ")");
  private static final Pattern OTHERS =
      Pattern.compile("[: ](?:KUBE-(?!" + KUBELETS + ")|POINTSMAN-)");

  private StandInView() {}

  @Override
  public @Nullable String read(String line) {
    if (OTHERS.matcher(line).find()) {
      return null;
    }
    return line.contains(PREFIX)
        ? line.replace(STATE, ChainNames.STATE).replace(PREFIX, KUBE)
        : line;
  }

  @Override
  public String write(String line) {
    if (line.contains(ChainNames.STATE)) {
      return line.replace(ChainNames.STATE, STATE);
    }
    return line.contains(KUBE) ? RENAMED.matcher(line).replaceAll(PREFIX) : line;
  }
}
