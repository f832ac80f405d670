// SPDX-License-Identifier: Apache-2.0
package io.pointsman.cli;

import picocli.CommandLine.Option;

/** What the serving commands have in common. */
final class ServerOptions {
  @Option(
      names = "--log-format",
      defaultValue = "${env:POINTSMAN_LOG_FORMAT:-text}",
      description =
          "How events are written: ${COMPLETION-CANDIDATES} (environment: POINTSMAN_LOG_FORMAT;"
              + " default: text).")
  private LogFormat logFormat = LogFormat.TEXT;

  @Option(
      names = "--log-level",
      defaultValue = "${env:POINTSMAN_LOG_LEVEL:-info}",
      description =
          "The least important events that are written: ${COMPLETION-CANDIDATES} (environment:"
              + " POINTSMAN_LOG_LEVEL; default: info).")
  private LogLevel logLevel = LogLevel.INFO;

  /** One line a person reads, or one JSON object a machine reads, per event. */
  enum LogFormat {
    TEXT,
    JSON
  }

  /** As Quarkus names them. */
  enum LogLevel {
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE
  }

  /** Hands them to Quarkus, which must not have started. */
  void apply() {
    System.setProperty("quarkus.log.category.\"io.pointsman\".level", logLevel.name());
    System.setProperty("quarkus.log.level", libraries().name());
    System.setProperty(
        "quarkus.log.console.json.enabled", Boolean.toString(logFormat == LogFormat.JSON));
  }

  /** The libraries' details help nobody who looks for what Pointsman does. */
  private LogLevel libraries() {
    return switch (logLevel) {
      case ERROR -> LogLevel.ERROR;
      case WARN -> LogLevel.WARN;
      case INFO, DEBUG, TRACE -> LogLevel.INFO;
    };
  }
}
