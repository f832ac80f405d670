// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** The version this program was built as. */
public final class Version implements IVersionProvider {
  private static final String RESOURCE = "/pointsman-build.properties";
  private static final String CURRENT = read();

  /** The project's version, as in the Maven coordinates and the chart. */
  public static String current() {
    return CURRENT;
  }

  @Override
  public String[] getVersion() {
    return new String[] {"pointsman " + current()};
  }

  private static String read() {
    Properties build = new Properties();
    try (InputStream in = Version.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing: build with Maven");
      }
      build.load(in);
      return build.getProperty("version");
    } catch (IOException failure) {
      throw new UncheckedIOException("cannot read " + RESOURCE, failure);
    }
  }
}
