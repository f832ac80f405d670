// SPDX-License-Identifier: Apache-2.0
package io.pointsman.verify.kubeproxy;

/**
 * One thing in which a kube-proxy's rules are not what the cluster's Services ask for.
 *
 * @param service {@code namespace/service:port}, empty when it belongs to no one Service
 * @param frontend where clients connect, empty when it is about no one frontend
 * @param backend the endpoint in question, empty when it is about none
 * @param message one sentence
 */
public record Difference(
    Kind kind, String service, String frontend, String backend, String message) {
  /** What sort of difference it is. */
  public enum Kind {
    /** A Service wants it, and the kernel lacks it. */
    MISSING,
    /** The rules have it for a Service that does not want it, or not any more. */
    STALE,
    /** It stands among kube-proxy's rules and belongs to no Service. */
    FOREIGN,
    /** It is there and does not do what it is there for. */
    BROKEN
  }

  /** With the Service's name, if it has one. */
  public String text() {
    return service.isEmpty() ? message : service + ": " + message;
  }
}
