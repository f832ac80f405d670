// SPDX-License-Identifier: Apache-2.0
package io.pointsman.catalogue;

import java.util.concurrent.ConcurrentHashMap;

/** Shares equal strings that many objects repeat: namespaces, port names, node names. */
public final class Names {
  /** More distinct names than this are not worth keeping; the table starts anew. */
  private static final int LIMIT = 16_384;

  private final ConcurrentHashMap<String, String> shared = new ConcurrentHashMap<>();

  /** The one instance that stands for this text. */
  public String share(String text) {
    if (shared.size() > LIMIT) {
      shared.clear();
    }
    String known = shared.putIfAbsent(text, text);
    return known == null ? text : known;
  }
}
