// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.iptables;

import io.pointsman.catalogue.Digest;
import io.pointsman.catalogue.DigestBuilder;
import io.pointsman.dataplane.KernelState;
import io.pointsman.dataplane.iptables.RuleReader.Found;
import java.util.ArrayList;
import java.util.List;

/** The tables as they were read; backends are collected chain by chain. */
final class IptablesKernelState implements KernelState {
  private final List<SavedTables> tables;
  private final List<String> defects;
  private final List<Setting> settings;
  private final Digest digest;
  private int frontends;
  private int backends;

  IptablesKernelState(List<SavedTables> tables, List<String> defects, List<Setting> settings) {
    this.tables = List.copyOf(tables);
    this.defects = List.copyOf(defects);
    this.settings = List.copyOf(settings);
    DigestBuilder sum = new DigestBuilder();
    forEach(
        (address, port, protocol, found) -> {
          frontends++;
          backends += found.size();
          sum.frontend(address, port, protocol);
          found.forEach(backend -> sum.backend(backend.address(), backend.port()));
        });
    this.digest = sum.digest();
  }

  @Override
  public Digest digest() {
    return digest;
  }

  @Override
  public int frontendCount() {
    return frontends;
  }

  @Override
  public int backendCount() {
    return backends;
  }

  @Override
  public void forEach(Visitor visitor) {
    for (SavedTables family : tables) {
      for (Found found : family.rules.found) {
        List<BackendAddress> reached = new ArrayList<>();
        SavedChain target = found.target();
        if (target != null) {
          target.collect(reached);
        }
        visitor.frontend(found.address(), found.port(), found.protocol().number(), reached);
      }
    }
  }

  @Override
  public List<String> defects() {
    return defects;
  }

  @Override
  public List<Setting> settings() {
    return settings;
  }
}
