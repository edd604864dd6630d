package io.twinkernel.control.rest;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Knows who may come in: whether a bearer token is needed, and which web pages may ask. */
public final class Guard {
  private static final String SCHEME = "Bearer ";
  private static final Pattern LITERAL =
      Pattern.compile("(?i)(localhost|[0-9.]+|\\[[0-9a-f:]+])(:[0-9]+)?");

  private final byte @Nullable [] token;

  private Guard(byte @Nullable [] token) {
    this.token = token;
  }

  /** Lets in who shows that token; everyone if there is none. */
  public static Guard of(Optional<String> token) {
    return new Guard(token.map(text -> text.getBytes(StandardCharsets.UTF_8)).orElse(null));
  }

  /**
   * Keeps web pages of other sites out, which a browser on this machine may have open: a browser
   * says in {@code Origin} where a page comes from. A name that its owner points at this machine
   * does not help such a page: without a token only addresses are taken for {@code Host}.
   */
  boolean admitsPage(@Nullable String origin, @Nullable String host) {
    if (host == null) {
      return origin == null;
    }
    boolean same =
        origin == null || origin.equals("http://" + host) || origin.equals("https://" + host);
    return same && (token != null || LITERAL.matcher(host).matches());
  }

  /**
   * Whether the bearer token is right, or none is needed.
   *
   * @param authorization the value of the header {@code Authorization}, if there is one
   */
  boolean admits(@Nullable String authorization) {
    if (token == null) {
      return true;
    }
    return authorization != null
        && authorization.startsWith(SCHEME)
        && MessageDigest.isEqual(
            token, authorization.substring(SCHEME.length()).getBytes(StandardCharsets.UTF_8));
  }
}
