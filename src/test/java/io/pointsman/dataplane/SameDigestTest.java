// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane;

import static org.assertj.core.api.Assertions.assertThat;

import io.pointsman.api.Scheduler;
import io.pointsman.catalogue.Digest;
import io.pointsman.dataplane.bpf.BpfDataplane;
import io.pointsman.dataplane.bpf.BpfOptions;
import io.pointsman.dataplane.bpf.MapSizes;
import io.pointsman.dataplane.iptables.IptablesDataplane;
import io.pointsman.dataplane.iptables.IptablesOptions;
import io.pointsman.kernel.Iptables.Variant;
import io.pointsman.kernel.KernelSandbox;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * For one catalogue every dataplane's kernel state has one digest: BPF's maps and the rules of both
 * iptables in one kernel. The first catalogues are those that IpvsRandomInside has in ip_vs.
 */
@Execution(ExecutionMode.CONCURRENT)
class SameDigestTest {
  private static final long SEED = Long.getLong("pointsman.seed", 20_260_102L);
  private static final int WHOLE = 30;
  private static final int CATALOGUES = 2_000;
  private static final int PORTS = 40;

  private final KernelSandbox sandbox = new KernelSandbox();

  @AfterEach
  void close() {
    sandbox.close();
  }

  @Test
  void whateverTheCatalogueIs() {
    sandbox.runInNamespace(
        () -> {
          try (Dataplane bpf = bpf();
              Dataplane nft = iptables(Variant.NFT);
              Dataplane legacy = iptables(Variant.LEGACY)) {
            compare(List.of(bpf, nft, legacy));
          }
        });
  }

  private static void compare(List<Dataplane> dataplanes) {
    RandomServices services = new RandomServices(SEED, PORTS);
    for (int i = 0; i < CATALOGUES; i++) {
      Consumer<Dataplane> write;
      if (i < WHOLE) {
        DesiredState another = services.another();
        write = dataplane -> dataplane.prepare(another);
      } else {
        DesiredState.Delta change = services.change();
        write = dataplane -> dataplane.apply(change);
      }
      Digest wanted = services.desired().digest();
      for (Dataplane dataplane : dataplanes) {
        write.accept(dataplane);
        String what =
            "seed %d catalogue %d %s".formatted(SEED, i, dataplane.getClass().getSimpleName());
        KernelState kernel = dataplane.read();
        assertThat(kernel.digest()).as(what).isEqualTo(wanted);
        assertThat(kernel.defects()).as(what).isEmpty();
      }
    }
  }

  private Dataplane bpf() {
    BpfOptions options =
        BpfOptions.defaults()
            .pinnedUnder(sandbox.bpffs().resolve("pointsman"))
            .on(sandbox.cgroup())
            .sized(new MapSizes(5_000, 50_000, 4_096, 4_096));
    return new BpfDataplane(options, DataplaneSettings.DEFAULTS);
  }

  private static Dataplane iptables(Variant variant) {
    return new IptablesDataplane(
        IptablesOptions.defaults().in(variant),
        new DataplaneSettings(Scheduler.RANDOM, 30_000, 32_767));
  }
}
