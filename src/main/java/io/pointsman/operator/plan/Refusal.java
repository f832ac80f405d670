// SPDX-License-Identifier: Apache-2.0
package io.pointsman.operator.plan;

/** Why a ProxyDataplane is not acted on; the message names the remedy. */
public record Refusal(String reason, String message) {}
