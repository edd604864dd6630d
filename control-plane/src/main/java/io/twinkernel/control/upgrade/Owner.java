package io.twinkernel.control.upgrade;

import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** The kernel that owns the service, as far as the control plane knows. */
public enum Owner {
  PRIMARY,
  /** In the critical section: one of the two, and only they know which. */
  UNDECIDED,
  SECONDARY;

  /** As it stands in JSON. */
  @JsonValue
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }
}
