// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

/** An address and port that clients of a Service connect to. */
public record Frontend(Address address, int port, Protocol protocol, FrontendKind kind) {}
