// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** scripts/go-binaries on a machine that has built nothing yet, with a Go that compiles nothing. */
class GoBinariesTest {
  private static final String GO =
      """
      #!/bin/sh
      case $1 in
        env) echo go1.99.0 ;;
        build)
          while [ "$1" != -o ]; do shift; done
          case $2 in
            *"$BREAK_AT"*.part) [ -z "$BREAK_AT" ] || exit 1 ;;
          esac
          echo built >"$2" && chmod +x "$2" && echo "$2" >>"$BUILDS" ;;
      esac
      """;

  @TempDir private Path folder = Path.of("");

  @BeforeEach
  void fakeGo() throws IOException {
    var go = folder.resolve("path/go");
    Files.createDirectories(go.getParent());
    Files.writeString(go, GO);
    Files.setPosixFilePermissions(go, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Test
  void buildsAllWhereNothingIs() throws IOException {
    var printed = run("");
    assertThat(printed.code()).as(printed.text()).isZero();
    var set = Path.of(printed.text().lines().reduce((first, last) -> last).orElseThrow());
    for (var name : new String[] {"kube-apiserver", "kubelet", "agnhost", "runc", "cni/bridge"}) {
      assertThat(set.resolve(name)).isExecutable();
    }
  }

  @Test
  void goesOnWhereItWasInterrupted() throws IOException {
    assertThat(run("coredns").code()).isNotZero();
    var before = builds();
    var again = run("");
    assertThat(again.code()).as(again.text()).isZero();
    assertThat(builds() - before).isPositive();
    assertThat(Files.readAllLines(folder.resolve("builds"))).doesNotHaveDuplicates();
  }

  private long builds() throws IOException {
    return Files.readAllLines(folder.resolve("builds")).size();
  }

  private record Printed(int code, String text) {}

  private Printed run(String breakAt) throws IOException {
    var builder =
        new ProcessBuilder(Project.folder().resolve("scripts/go-binaries").toString())
            .redirectErrorStream(true);
    var environment = builder.environment();
    environment.put("PATH", folder.resolve("path") + ":" + environment.get("PATH"));
    environment.put("POINTSMAN_CACHE", folder.resolve("cache").toString());
    environment.put("BUILDS", folder.resolve("builds").toString());
    environment.put("BREAK_AT", breakAt);
    var process = builder.start();
    var text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      return new Printed(process.waitFor(), text);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
