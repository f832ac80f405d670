// SPDX-License-Identifier: Apache-2.0
/** The commands: operator, agent, and what a person runs. */
@NullMarked
package io.pointsman.cli;

import org.jspecify.annotations.NullMarked;
