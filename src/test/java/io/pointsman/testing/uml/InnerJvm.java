// SPDX-License-Identifier: Apache-2.0
package io.pointsman.testing.uml;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** A JVM inside a machine with the classes and the project's properties of this one. */
public final class InnerJvm {
  /** One CPU on which every system call is dear: no compiling for long, no collector threads. */
  private static final List<String> FLAGS =
      List.of(
          "-XX:+UseSerialGC",
          "-XX:TieredStopAtLevel=1",
          "-XX:-UsePerfData",
          "-Xmx768m",
          "--enable-native-access=ALL-UNNAMED",
          "-Djava.util.logging.manager=org.jboss.logmanager.LogManager");

  /** Without it each program is started by way of another, jspawnhelper. */
  private static final String NO_HELPER = "-Djdk.lang.Process.launchMechanism=VFORK";

  /** The last release of Java of which it is known that it takes {@link #NO_HELPER}. */
  private static final int LAST_WITHOUT_HELPER = 25;

  private InnerJvm() {}

  /** The line of shell that runs a main class; {@link InnerOutput} prints what it writes. */
  public static String command(Class<?> main, List<String> flags, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(FLAGS);
    if (Runtime.version().feature() <= LAST_WITHOUT_HELPER) {
      command.add(NO_HELPER);
    }
    System.getProperties().stringPropertyNames().stream()
        .filter(name -> name.startsWith("pointsman."))
        .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
    command.addAll(flags);
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(main.getName());
    command.addAll(arguments);
    String quoted = command.stream().map(InnerBoot::quote).collect(Collectors.joining(" "));
    return quoted + " >" + InnerMachine.OUTSIDE + "/output 2>&1";
  }
}
