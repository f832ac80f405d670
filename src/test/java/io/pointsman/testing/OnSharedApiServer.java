// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * Says that a class uses {@link ApiServer#shared()}: one such class at a time, beside tests of
 * other things, because most of their time is spent waiting.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Execution(ExecutionMode.CONCURRENT)
@ResourceLock("ApiServer.shared")
public @interface OnSharedApiServer {}
