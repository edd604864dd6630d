package io.twinkernel.harness.demo;

import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.client.Dataset;
import io.twinkernel.harness.client.Reply;
import io.twinkernel.harness.client.RespConnection;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;

/** What the scenario asks of Redis besides the client's load. */
final class RedisFacts {

  private RedisFacts() {}

  static void fill(InetSocketAddress redis, Dataset dataset, Duration silence)
      throws HarnessException {
    try (RespConnection connection = RespConnection.open(redis, silence)) {
      dataset.fill(connection);
    } catch (IOException failure) {
      throw new HarnessException.Service(
          "Redis at " + redis + " could not be filled: " + failure, failure);
    }
  }

  /** Random for each Redis process (INFO, section server). */
  static String runId(InetSocketAddress redis, Duration silence) throws HarnessException {
    try (RespConnection connection = RespConnection.open(redis, silence)) {
      Reply reply = connection.call("INFO", "server");
      String text = reply instanceof Reply.Bulk bulk ? bulk.text() : "";
      return text.lines()
          .filter(line -> line.startsWith("run_id:"))
          .map(line -> line.substring("run_id:".length()).strip())
          .findFirst()
          .orElseThrow(() -> new IOException("INFO server has no run_id: " + reply));
    } catch (IOException failure) {
      throw new HarnessException.Service("Redis at " + redis + ": " + failure, failure);
    }
  }

  /** Whether Redis answers PING now. */
  static boolean answers(InetSocketAddress redis) {
    try (RespConnection connection = RespConnection.open(redis, Duration.ofSeconds(1))) {
      return connection.call("PING") instanceof Reply.Status;
    } catch (IOException notYet) {
      return false;
    }
  }
}
