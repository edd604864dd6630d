package io.twinkernel.control.rest;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.Router;
import java.io.IOException;
import java.io.UncheckedIOException;

/** A page for people, at the root: a client of REST and SockJS like any other. */
public final class Dashboard {
  /** Nothing from elsewhere, and no script but its own. */
  private static final String POLICY =
      "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self';"
          + " img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

  private Dashboard() {}

  /** Adds the page to the routes. */
  public static void mount(Router router) {
    serve(router, "/", "dashboard.html", "text/html; charset=utf-8");
    serve(router, "/dashboard.js", "dashboard.js", "text/javascript; charset=utf-8");
  }

  private static void serve(Router router, String path, String name, String type) {
    Buffer content = read(name);
    router
        .get(path)
        .handler(
            context ->
                context
                    .response()
                    .putHeader(HttpHeaders.CONTENT_TYPE, type)
                    .putHeader("Content-Security-Policy", POLICY)
                    .putHeader("X-Content-Type-Options", "nosniff")
                    .putHeader("Referrer-Policy", "no-referrer")
                    .end(content));
  }

  private static Buffer read(String name) {
    try (var in = Dashboard.class.getResourceAsStream("/io/twinkernel/control/" + name)) {
      if (in == null) {
        throw new IllegalStateException("the build left " + name + " out");
      }
      return Buffer.buffer(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
