// SPDX-License-Identifier: Apache-2.0
/**
 * A real Kubernetes cluster of several nodes on one machine, for tests and for the demo. Needs
 * root.
 *
 * <p>Nothing of the product is known here: what runs in the lab is what users run.
 */
@NullMarked
package io.pointsman.lab;

import org.jspecify.annotations.NullMarked;
