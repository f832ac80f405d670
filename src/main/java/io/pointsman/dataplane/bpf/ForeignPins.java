// SPDX-License-Identifier: Apache-2.0
package io.pointsman.dataplane.bpf;

import io.pointsman.dataplane.Preflight.Finding;
import io.pointsman.dataplane.Preflight.Severity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds the pins of other dataplanes that balance by BPF, which are reported and left alone. */
public final class ForeignPins {
  /** As Calico and Cilium name theirs. */
  private static final Pattern NAME = Pattern.compile("(cali|xdp_cali|cilium).*");

  /** Where they are below bpffs, as tc pins them by itself or in folders of their own. */
  private static final List<String> FOLDERS = List.of("", "tc/globals", "tc");

  private static final int NAMED = 5;

  private ForeignPins() {}

  /** One finding that names the first of them, or none. */
  public static List<Finding> find(Path bpffs) {
    List<String> pins = FOLDERS.stream().flatMap(folder -> names(bpffs, folder)).sorted().toList();
    if (pins.isEmpty()) {
      return List.of();
    }
    String more = pins.size() > NAMED ? " and " + (pins.size() - NAMED) + " more" : "";
    return List.of(
        new Finding(
            Severity.WARNING,
            "ForeignPins",
            "In "
                + bpffs
                + " are pins of another dataplane: "
                + String.join(", ", pins.stream().limit(NAMED).toList())
                + more
                + ".",
            "If it is in use on this node, turn its kube-proxy replacement off first. If it is"
                + " gone, remove them: they hold memory and do nothing."));
  }

  private static Stream<String> names(Path bpffs, String folder) {
    Path where = bpffs.resolve(folder);
    if (!Files.isDirectory(where)) {
      return Stream.empty();
    }
    try (Stream<Path> entries = Files.list(where)) {
      return entries
          .map(entry -> bpffs.relativize(entry).toString())
          .filter(name -> NAME.matcher(name.substring(name.lastIndexOf('/') + 1)).matches())
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
