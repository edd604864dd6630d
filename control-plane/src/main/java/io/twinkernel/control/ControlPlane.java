package io.twinkernel.control;

import io.twinkernel.control.broker.BrokerListener;
import io.twinkernel.control.engine.Conductor;
import io.twinkernel.control.journal.JournalFolder;
import io.twinkernel.control.rest.Bridges;
import io.twinkernel.control.rest.Dashboard;
import io.twinkernel.control.rest.Guard;
import io.twinkernel.control.rest.RestApi;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.file.FileSystemOptions;
import io.vertx.core.http.HttpServer;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A running control plane: it listens for brokers, answers REST, and tells events on the event bus,
 * whose bridges it holds. What it does is in {@link Conductor}; this class puts the parts together.
 */
public final class ControlPlane implements AutoCloseable {
  private static final int START_SECONDS = 60;

  private final Vertx vertx;
  private final Conductor conductor;
  private final HttpServer rest;
  private final BrokerListener brokers;
  private final Bridges.Tcp bridge;

  private ControlPlane(
      Vertx vertx,
      Conductor conductor,
      HttpServer rest,
      BrokerListener brokers,
      Bridges.Tcp bridge) {
    this.vertx = vertx;
    this.conductor = conductor;
    this.rest = rest;
    this.brokers = brokers;
    this.bridge = bridge;
  }

  /**
   * Starts one: reads the journals, goes on with what was under way, and listens.
   *
   * @throws IOException if a journal is damaged or a port cannot be had
   */
  public static ControlPlane start(ControlPlaneConfig config) throws IOException {
    var journals = JournalFolder.open(config.journals());
    var vertx =
        Vertx.vertx(
            new VertxOptions()
                .setFileSystemOptions(
                    new FileSystemOptions()
                        .setClassPathResolvingEnabled(false)
                        .setFileCachingEnabled(false)));
    Conductor conductor = null;
    try {
      conductor =
          Conductor.start(journals, config.deadlines(), event -> Bridges.publish(vertx, event));
      Guard guard = Guard.of(config.apiToken());
      Router router = RestApi.router(vertx, conductor, guard);
      Dashboard.mount(router);
      router.route("/eventbus/*").subRouter(Bridges.sockJs(vertx, guard));
      HttpServer rest =
          await(
              vertx
                  .createHttpServer()
                  .requestHandler(router)
                  .listen(config.restPort(), config.host()));
      Bridges.Tcp bridge = await(Bridges.listen(vertx, config.host(), config.bridgePort(), guard));
      // Last, so that whoever watches can be there when brokers begin to talk.
      BrokerListener brokers =
          await(
              BrokerListener.listen(
                  vertx,
                  config.brokerHost(),
                  config.brokerPort(),
                  config.brokerToken(),
                  conductor));
      return new ControlPlane(vertx, conductor, rest, brokers, bridge);
    } catch (IOException | RuntimeException e) {
      if (conductor == null) {
        journals.close();
      } else {
        conductor.close();
      }
      await(vertx.close());
      throw e;
    }
  }

  /** Where REST and SockJS are. */
  public int restPort() {
    return rest.actualPort();
  }

  /** Where brokers dial in. */
  public int brokerPort() {
    return brokers.port();
  }

  /** Where the event bus bridge over TCP is. */
  public int bridgePort() {
    return bridge.port();
  }

  private static <T> T await(Future<T> future) throws IOException {
    try {
      return future.await(START_SECONDS, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      throw new IOException("the control plane did not start or stop in time", e);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IOException(
          "the control plane cannot start: "
              + e.getMessage()
              + ". Another process may use the port: give another one, 0 for any",
          e);
    }
  }

  /** Stops at once. What was under way goes on when one is started on the same journals. */
  @Override
  public void close() throws IOException {
    conductor.close();
    await(vertx.close());
  }
}
