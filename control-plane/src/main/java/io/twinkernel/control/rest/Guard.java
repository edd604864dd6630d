package io.twinkernel.control.rest;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Knows whether a bearer token is needed, and which. */
public final class Guard {
  private static final String SCHEME = "Bearer ";

  private final byte @Nullable [] token;

  private Guard(byte @Nullable [] token) {
    this.token = token;
  }

  /** Lets in who shows that token; everyone if there is none. */
  public static Guard of(Optional<String> token) {
    return new Guard(token.map(text -> text.getBytes(StandardCharsets.UTF_8)).orElse(null));
  }

  /**
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
