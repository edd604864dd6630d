package io.twinkernel.control.engine;

import io.twinkernel.control.upgrade.Role;

/** A broker's connection, after its hello was accepted. */
public interface BrokerLink {
  String node();

  Role role();

  /** Release of its kernel. */
  String kernel();

  /** Frequency of the machine's time stamp counter. */
  long tscKhz();

  /**
   * Sends a line on its way; a connection that has broken loses it.
   *
   * @param line without the line feed
   */
  void send(String line);

  /** Breaks the connection. */
  void close();
}
