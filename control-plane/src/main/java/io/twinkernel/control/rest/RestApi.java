package io.twinkernel.control.rest;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.twinkernel.control.engine.Conductor;
import io.twinkernel.control.engine.RefusedException;
import io.twinkernel.control.json.Json;
import io.twinkernel.control.upgrade.Failure;
import io.twinkernel.control.upgrade.Upgrade;
import io.twinkernel.control.upgrade.UpgradeRequest;
import io.twinkernel.control.upgrade.Verb;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What operators do, over HTTP with JSON. Every failure is an object {@code {code, what, why,
 * todo}}.
 *
 * <pre>
 *   POST /api/v1/upgrades                     201 the upgrade
 *   GET  /api/v1/upgrades                     200 all, oldest first
 *   GET  /api/v1/upgrades/ID                  200
 *   GET  /api/v1/upgrades/ID/events?after=N   200 events with a sequence above N; &amp;wait_ms=M waits
 *                                             for one if there is none yet
 *   POST /api/v1/upgrades/ID/continue         200; optional body {"until": "boot"}
 *   POST /api/v1/upgrades/ID/rollback         202
 *   GET  /api/v1/nodes                        200
 *   GET  /metrics                             200, for Prometheus
 *   GET  /health                              200
 * </pre>
 */
public final class RestApi {
  private static final System.Logger LOG = System.getLogger("twinkernel.rest");
  private static final long LARGEST_BODY = 64 * 1024;
  private static final long LONGEST_WAIT_MS = 60_000;
  private static final String JSON = "application/json";

  private record Continuation(@Nullable Verb until) {
    Continuation {
      if (until != null && !until.isPhase()) {
        throw new IllegalArgumentException(
            "'until' is one of plan, prepare, boot, precopy, switch, absorb");
      }
    }
  }

  private record Reply(int status, Object body) {}

  private final Conductor conductor;

  private RestApi(Conductor conductor) {
    this.conductor = conductor;
  }

  /** The routes, without those of the event bus. */
  public static Router router(Vertx vertx, Conductor conductor, Guard guard) {
    var api = new RestApi(conductor);
    Router router = Router.router(vertx);
    router.route().handler(context -> admitPage(context, guard));
    router.get("/health").handler(context -> send(context, 200, Map.of("status", "up")));
    router.route("/api/*").handler(context -> admit(context, guard));
    router.route("/metrics").handler(context -> admit(context, guard));
    router.get("/metrics").handler(api::metrics);
    router.route("/api/*").handler(BodyHandler.create(false).setBodyLimit(LARGEST_BODY));
    router.post("/api/v1/upgrades").handler(api::post);
    router
        .get("/api/v1/upgrades")
        .handler(
            context ->
                answer(
                    context,
                    conductor
                        .upgrades()
                        .thenApply(all -> ok(all.stream().map(UpgradeView::of).toList()))));
    router
        .get("/api/v1/upgrades/:id")
        .handler(
            context ->
                answer(
                    context,
                    conductor.upgrade(id(context)).thenApply(it -> ok(UpgradeView.of(it)))));
    router.get("/api/v1/upgrades/:id/events").handler(api::events);
    router.post("/api/v1/upgrades/:id/continue").handler(api::proceed);
    router
        .post("/api/v1/upgrades/:id/rollback")
        .handler(
            context ->
                answer(
                    context,
                    conductor
                        .rollBack(id(context))
                        .thenApply(it -> new Reply(202, UpgradeView.of(it)))));
    router
        .get("/api/v1/nodes")
        .handler(context -> answer(context, conductor.nodes().thenApply(RestApi::ok)));
    for (int status : List.of(400, 404, 405, 406, 413, 415, 500)) {
      router.errorHandler(status, context -> failed(context, status));
    }
    return router;
  }

  private static void admitPage(RoutingContext context, Guard guard) {
    String origin = context.request().getHeader(HttpHeaders.ORIGIN);
    if (guard.admitsPage(origin, context.request().getHeader(HttpHeaders.HOST))) {
      context.next();
    } else {
      send(
          context,
          403,
          new Failure(
              "foreign-page",
              "the request",
              "it comes from a web page of another site, or for another host name",
              "use the control plane's address, as http://127.0.0.1:7440, or a token"));
    }
  }

  private static void admit(RoutingContext context, Guard guard) {
    if (guard.admits(context.request().getHeader(HttpHeaders.AUTHORIZATION))) {
      context.next();
    } else {
      context.response().putHeader("WWW-Authenticate", "Bearer");
      send(
          context,
          401,
          new Failure(
              "unauthorized",
              "the request",
              "it shows no valid bearer token",
              "send the header 'Authorization: Bearer TOKEN'; twinctl takes --token"));
    }
  }

  private void post(RoutingContext context) {
    body(context, UpgradeRequest.class)
        .ifPresent(
            request ->
                answer(context, conductor.post(request).thenApply(it -> created(context, it))));
  }

  private static Reply created(RoutingContext context, Upgrade upgrade) {
    context.response().putHeader(HttpHeaders.LOCATION, "/api/v1/upgrades/" + upgrade.id());
    return new Reply(201, UpgradeView.of(upgrade));
  }

  private void proceed(RoutingContext context) {
    Optional<Continuation> body =
        context.body().length() <= 0
            ? Optional.of(new Continuation(null))
            : body(context, Continuation.class);
    body.ifPresent(
        it ->
            answer(
                context,
                conductor
                    .proceed(id(context), it.until())
                    .thenApply(upgrade -> ok(UpgradeView.of(upgrade)))));
  }

  private void events(RoutingContext context) {
    try {
      long after = number(context, "after", Long.MAX_VALUE);
      long wait = number(context, "wait_ms", LONGEST_WAIT_MS);
      answer(
          context,
          conductor.events(id(context), after, Duration.ofMillis(wait)).thenApply(RestApi::ok));
    } catch (IllegalArgumentException e) {
      invalid(context, String.valueOf(e.getMessage()));
    }
  }

  private void metrics(RoutingContext context) {
    answer(
        context,
        conductor
            .upgrades()
            .thenCombine(conductor.nodes(), Metrics::of)
            .thenApply(text -> new Reply(200, text)));
  }

  private static long number(RoutingContext context, String name, long highest) {
    String text = context.request().getParam(name, "0");
    try {
      long number = Long.parseLong(text);
      if (number >= 0 && number <= highest) {
        return number;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("'" + name + "' is not a number: " + text, e);
    }
    throw new IllegalArgumentException("'" + name + "' lies between 0 and " + highest);
  }

  /** Empty if it was bad, and has been answered so. */
  private static <T> Optional<T> body(RoutingContext context, Class<T> type) {
    String content = context.request().getHeader(HttpHeaders.CONTENT_TYPE);
    // A page in a browser cannot send this type to another site without being asked first.
    if (content == null || !content.split(";", -1)[0].strip().equalsIgnoreCase(JSON)) {
      send(
          context,
          415,
          new Failure("not-json", "the request", "its content type is " + content, "send " + JSON));
      return Optional.empty();
    }
    try {
      Buffer body = context.body().buffer();
      T value = Json.STRICT.readValue(body == null ? new byte[0] : body.getBytes(), type);
      if (value != null) {
        return Optional.of(value);
      }
      invalid(context, "an object is needed");
    } catch (JsonProcessingException e) {
      invalid(context, Json.complaint(e));
    } catch (IOException e) {
      invalid(context, "not UTF-8: " + e.getMessage());
    }
    return Optional.empty();
  }

  private static void invalid(RoutingContext context, String why) {
    send(
        context,
        400,
        new Failure(
            "invalid-request",
            context.request().method() + " " + context.request().path(),
            why,
            "correct the request; the fields are described in control-plane/README.md"));
  }

  private static String id(RoutingContext context) {
    return String.valueOf(context.pathParam("id"));
  }

  private static Reply ok(Object body) {
    return new Reply(200, body);
  }

  private static void answer(RoutingContext context, CompletionStage<Reply> stage) {
    var loop = context.vertx().getOrCreateContext();
    stage.whenComplete(
        (reply, error) ->
            loop.runOnContext(
                _ -> {
                  if (context.response().ended() || context.response().closed()) {
                    return;
                  }
                  if (error == null) {
                    send(context, reply.status(), reply.body());
                  } else {
                    refuse(context, error);
                  }
                }));
  }

  private static void refuse(RoutingContext context, Throwable error) {
    Throwable cause =
        error instanceof CompletionException && error.getCause() != null ? error.getCause() : error;
    switch (cause) {
      case RefusedException refused -> send(context, status(refused), refused.failure());
      case IOException io ->
          send(
              context,
              507,
              new Failure(
                  "journal-unwritable",
                  "the journal",
                  String.valueOf(io.getMessage()),
                  "make room or mend the disk; nothing was started"));
      default -> context.fail(500, cause);
    }
  }

  private static int status(RefusedException refused) {
    return switch (refused.kind()) {
      case INVALID -> 400;
      case UNKNOWN -> 404;
      case CONFLICT -> 409;
      case UNABLE -> 503;
    };
  }

  private static void failed(RoutingContext context, int status) {
    String what = context.request().method() + " " + context.request().path();
    Throwable error = context.failure();
    if (error != null) {
      LOG.log(System.Logger.Level.ERROR, what, error);
    }
    Map<Integer, Function<String, Failure>> failures =
        Map.of(
            400, it -> new Failure("invalid-request", it, "it is malformed", "correct it"),
            404, it -> new Failure("no-such-resource", it, "there is none", "see the README"),
            405, it -> new Failure("no-such-method", it, "not with this method", "see the README"),
            413,
                it ->
                    new Failure(
                        "too-large", it, "the body exceeds " + LARGEST_BODY + " bytes", "cut it"));
    send(
        context,
        status,
        failures
            .getOrDefault(
                status,
                it ->
                    new Failure(
                        "internal", it, "an error of the control plane", "read its log; report it"))
            .apply(what));
  }

  private static void send(RoutingContext context, int status, Object body) {
    boolean text = body instanceof String;
    context
        .response()
        .setStatusCode(status)
        .putHeader(HttpHeaders.CONTENT_TYPE, text ? Metrics.CONTENT_TYPE : JSON)
        .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
        .end(text ? (String) body : Json.write(body));
  }
}
