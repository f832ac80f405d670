// SPDX-License-Identifier: Apache-2.0
package io.pointsman.agent;

import io.pointsman.api.KubeProxyState;
import io.pointsman.api.Step;
import io.pointsman.dataplane.Dataplane.Phase;
import org.jspecify.annotations.Nullable;

/**
 * Everything that decides what the agent does next.
 *
 * @param target how far the operator lets the agent go
 * @param kubeProxy where kube-proxy stands; null when nobody manages it
 * @param synced whether Services, EndpointSlices and the node's own resources were listed
 * @param phase the wanted dataplane's, read from the kernel; on the way back the most that any
 *     dataplane of ours does
 * @param othersServe whether another dataplane of ours takes new flows
 * @param alone whether it was read that nothing of any other dataplane of ours is in the kernel
 * @param preflightPassed whether the preflight found nothing blocking
 * @param proven whether the kernel was read back and equals the desired state
 * @param silenced whether nothing that kube-proxy left takes new flows in the target's place
 * @param probed whether the live probe was answered since the dataplane became active, or is off
 * @param cleaned whether nothing is left of kube-proxy in the kernel
 * @param rulesServe whether kube-proxy's rules serve every Service of the catalogue
 * @param drained whether no flow is left, or the time for it is over
 * @param gone whether it was read that nothing of any dataplane of ours is left
 */
record Facts(
    Step target,
    @Nullable KubeProxyState kubeProxy,
    boolean synced,
    Phase phase,
    boolean othersServe,
    boolean alone,
    boolean preflightPassed,
    boolean proven,
    boolean silenced,
    boolean probed,
    boolean cleaned,
    boolean rulesServe,
    boolean drained,
    boolean gone) {}
