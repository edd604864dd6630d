package io.twinkernel.broker.policy;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The sockets of a network namespace, from /proc/PID/net (proc_net(5)).
 *
 * @param byInode every socket that the tables list
 */
record SocketTable(Map<String, Entry> byInode) {

  /**
   * A socket.
   *
   * @param table which table lists it
   * @param local address and port as the table writes them; a unix socket's path
   * @param remote likewise, empty where there is none
   * @param listening whether it waits for connections
   */
  record Entry(String table, String local, String remote, boolean listening) {}

  private static final List<String> INET =
      List.of("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "icmp", "icmp6", "raw", "raw6");
  private static final String LISTEN = "0A";

  static SocketTable read(ProcReader reader, int pid) throws IOException {
    var found = new HashMap<String, Entry>();
    for (String table : INET) {
      for (String line : reader.sockets(pid, table)) {
        // SL LOCAL REMOTE STATE QUEUES TIMER RETRANSMITS UID TIMEOUT INODE
        String[] words = line.strip().split(" +", -1);
        found.put(words[9], new Entry(table, words[1], words[2], words[3].equals(LISTEN)));
      }
    }
    for (String line : reader.sockets(pid, "unix")) {
      // NUM REFS PROTOCOL FLAGS TYPE STATE INODE PATH; flag __SO_ACCEPTCON
      String[] words = line.strip().split(" +", 8);
      boolean listening = (Long.parseLong(words[3], 16) & 0x10000) != 0;
      found.put(words[6], new Entry("unix", words.length < 8 ? "" : words[7], "", listening));
    }
    for (String line : reader.sockets(pid, "netlink")) {
      String[] words = line.strip().split(" +", -1);
      found.put(words[9], new Entry("netlink", words[1], "", false));
    }
    for (String line : reader.sockets(pid, "packet")) {
      String[] words = line.strip().split(" +", -1);
      found.put(words[8], new Entry("packet", words[4], "", false));
    }
    return new SocketTable(Map.copyOf(found));
  }

  Optional<Entry> find(String inode) {
    return Optional.ofNullable(byInode.get(inode));
  }

  /** The other end of a TCP connection within this machine. */
  Optional<String> otherEnd(Entry connection) {
    return byInode.entrySet().stream()
        .filter(
            other ->
                other.getValue().table().startsWith("tcp")
                    && !other.getValue().listening()
                    && plain(other.getValue().local()).equals(plain(connection.remote()))
                    && plain(other.getValue().remote()).equals(plain(connection.local())))
        .map(Map.Entry::getKey)
        .filter(inode -> !inode.equals("0"))
        .findFirst();
  }

  /** An IPv4 address in an IPv6 socket's line, {@code ::ffff:a.b.c.d}, as in an IPv4 one's. */
  private static String plain(String address) {
    return address.replaceFirst("^0{16}FFFF0000", "");
  }
}
