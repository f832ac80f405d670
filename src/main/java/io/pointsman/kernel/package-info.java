// SPDX-License-Identifier: Apache-2.0
/** Bindings to the kernel: libbpf and netlink through java.lang.foreign. Nothing of Kubernetes. */
@NullMarked
package io.pointsman.kernel;

import org.jspecify.annotations.NullMarked;
