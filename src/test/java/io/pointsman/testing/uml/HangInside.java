// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Never ends. */
public class HangInside {
  @Test
  void waitsForNobody() throws InterruptedException {
    new CountDownLatch(1).await();
  }
}
