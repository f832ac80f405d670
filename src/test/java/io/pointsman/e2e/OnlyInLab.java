// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/** Skips what only the lab is fit for when KUBECONFIG names the cluster, and says so. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(OnlyInLab.Condition.class)
@interface OnlyInLab {
  /** What the test does that other clusters cannot, or shall not, have done to them. */
  String value();

  /** Looks at KUBECONFIG; a condition and no assumption, so that every test of a class is told. */
  final class Condition implements ExecutionCondition {
    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
      var found = AnnotationSupport.findAnnotation(context.getElement(), OnlyInLab.class);
      if (found.isEmpty() || NamedPlace.named().isEmpty()) {
        return ConditionEvaluationResult.enabled("the cluster is a lab");
      }
      return ConditionEvaluationResult.disabled(
          "KUBECONFIG names the cluster, and the test is for the lab: " + found.get().value());
    }
  }
}
