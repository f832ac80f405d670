// SPDX-License-Identifier: Apache-2.0
/**
 * Tests in another kernel: User-Mode Linux boots from the host's own files in seconds and has what
 * the host's kernel may lack.
 */
@NullMarked
package io.pointsman.testing.uml;

import org.jspecify.annotations.NullMarked;
