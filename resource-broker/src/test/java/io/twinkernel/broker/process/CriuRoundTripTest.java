package io.twinkernel.broker.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real server with open connections is dumped, resumed, dumped again and restored by the real
 * CRIU, in a network namespace of its own. The environment variable TWIN_CRIU names a criu other
 * than the one in PATH. Skipped where CRIU itself says that it cannot work on this kernel, as
 * 3.17.1 does from Linux 6.13 on.
 */
class CriuRoundTripTest {

  private static final String SERVER =
      """
      #include <errno.h>
      #include <netinet/in.h>
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>
      #include <sys/epoll.h>
      #include <sys/socket.h>
      #include <unistd.h>
      /* Answers each byte, on any connection, with a count that is never given twice. */
      int main(void) {
        static char memory[32 << 20];
        struct sockaddr_in address = {
          .sin_family = AF_INET, .sin_port = htons(7000), .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int listener = socket(AF_INET, SOCK_STREAM, 0), poll = epoll_create1(0);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
        long count = 0;
        memset(memory, 7, sizeof(memory));
        if (bind(listener, (void *)&address, sizeof(address)) || listen(listener, 8)) return 1;
        epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
        for (;;) {
          char byte, line[32];
          int ready = epoll_wait(poll, &event, 1, -1), fd = event.data.fd;
          if (ready < 0 && errno == EINTR) continue; /* so it is after every stop, signal(7) */
          if (ready < 0) return 3;
          if (fd == listener) {
            event.events = EPOLLIN;
            event.data.fd = accept(listener, NULL, NULL);
            epoll_ctl(poll, EPOLL_CTL_ADD, event.data.fd, &event);
          } else if (read(fd, &byte, 1) == 1) {
            count++;
            memory[count * 4096 % sizeof(memory)] = count;
            if (write(fd, line, snprintf(line, sizeof(line), "%ld\\n", count)) < 0) return 2;
          } else {
            close(fd);
          }
        }
      }
      """;

  @TempDir Path work;

  @Test
  void aServerKeepsItsConnections() throws Exception {
    Path source = Files.writeString(work.resolve("server.c"), SERVER);
    Path server = work.resolve("server");
    assertThat(run("gcc", "-O1", "-o", server.toString(), source.toString())).isZero();
    int result =
        run(
            "unshare",
            "--net",
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            CriuScenario.class.getName(),
            System.getenv().getOrDefault("TWIN_CRIU", "criu"),
            server.toString(),
            work.toString());
    String output = Files.readString(work.resolve("output"));
    Assumptions.assumeFalse(result == CriuScenario.CANNOT_WORK, output);
    assertThat(result).as(output).isZero();
  }

  private int run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(work.resolve("output").toFile())
            .start();
    return process.waitFor();
  }
}
