// SPDX-License-Identifier: Apache-2.0
/** The node agent: watch, program, read back, prove, report. */
@NullMarked
package io.pointsman.agent;

import org.jspecify.annotations.NullMarked;
