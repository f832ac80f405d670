// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A way to a server whose connections can die as those of a machine that lost its power do: nothing
 * comes through any more, and neither end is told.
 */
public final class DeadConnections implements AutoCloseable {
  private final URI server;
  private final ServerSocket listener;
  private final List<Connection> connections = new CopyOnWriteArrayList<>();

  /** Passes on what comes to {@link #url} until it is told not to. */
  public DeadConnections(String server) {
    this.server = URI.create(server);
    try {
      this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  private record Connection(Socket client, Socket server, AtomicBoolean dead) {}

  /** Where the server is reached through this. */
  public String url() {
    return server.getScheme() + "://127.0.0.1:" + listener.getLocalPort();
  }

  /** All connections that there are die; later ones live. */
  public void die() {
    connections.forEach(connection -> connection.dead().set(true));
  }

  private void accept() {
    try {
      while (true) {
        Socket client = listener.accept();
        Socket other = new Socket(server.getHost(), server.getPort());
        Connection connection = new Connection(client, other, new AtomicBoolean());
        connections.add(connection);
        Thread.ofVirtual().start(() -> pass(client, other, connection));
        Thread.ofVirtual().start(() -> pass(other, client, connection));
      }
    } catch (IOException e) {
      // Closed.
    }
  }

  private static void pass(Socket from, Socket to, Connection connection) {
    try {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[1 << 14];
      for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
        if (!connection.dead().get()) {
          out.write(buffer, 0, read);
        }
      }
      if (!connection.dead().get()) {
        to.close();
      }
    } catch (IOException e) {
      // The other direction has ended.
    }
  }

  @Override
  public void close() throws IOException {
    listener.close();
    for (Connection connection : connections) {
      connection.client().close();
      connection.server().close();
    }
  }
}
