// SPDX-License-Identifier: Apache-2.0
package io.pointsman.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.awaitility.Awaitility.await;

import io.pointsman.kernel.OnlyNft;
import io.pointsman.lab.Node;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;

/** What others do to the rules of nodes. */
final class ForeignRules {
  private static final Duration LIMIT = Duration.ofMinutes(1);

  private ForeignRules() {}

  /** iptables-save leaves out the table filter from now on. */
  static void hideFilter(TestCluster cluster) {
    cluster.onNodes("nft '" + OnlyNft.hides("ip filter") + "'");
  }

  /**
   * Does it as soon as Iptables is prepared, by a program of the node's own: what comes after
   * Prepare may come at once. The chain is the first that Iptables makes. It ends early when it can
   * read no more.
   */
  static Process hideFilterOncePrepared(Node node) {
    var script =
        """
        until nft list chain ip nat POINTSMAN-STATE > /dev/null 2>&1; do
          read -rt 0.02
          [ $? -gt 128 ] || exit 0
        done
        nft '%s'
        """;
    return start(node, "bash", "-c", script.formatted(OnlyNft.hides("ip filter")));
  }

  /** It shows that table again. */
  static void showFilter(TestCluster cluster) {
    cluster.onNodes("nft '" + OnlyNft.shows("ip filter") + "'");
  }

  /** The table is there as long as the process. */
  static Process ownFilter(Node node) {
    try {
      var owner = start(node, "nft", "-i");
      owner.getOutputStream().write("add table ip filter { flags owner; }\n".getBytes(US_ASCII));
      owner.getOutputStream().flush();
      await()
          .atMost(LIMIT)
          .until(() -> node.exec("nft", "list", "table", "ip", "filter").out().contains("owner"));
      return owner;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Process start(Node node, String... command) {
    try {
      return new ProcessBuilder(node.command(command)).start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends what ends when it can read no more. */
  static void end(Process reader) {
    try {
      reader.getOutputStream().close();
      reader.waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
