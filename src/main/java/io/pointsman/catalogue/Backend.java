// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

/**
 * An endpoint that new connections may be sent to.
 *
 * @param local whether the endpoint runs on this node; false in the operator's catalogue
 */
public record Backend(Address address, int port, boolean local) {}
