package io.twinkernel.control.upgrade;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One line of an upgrade's journal: the truth about it. An upgrade is what its entries add up to,
 * see {@link Upgrade#apply}.
 */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "entry")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Entry.Requested.class, name = "requested"),
  @JsonSubTypes.Type(value = Entry.Commanded.class, name = "commanded"),
  @JsonSubTypes.Type(value = Entry.Happened.class, name = "happened"),
  @JsonSubTypes.Type(value = Entry.Continued.class, name = "continued")
})
@JsonInclude(JsonInclude.Include.NON_NULL)
public sealed interface Entry {

  /** The first line. Times are ms since 1970. */
  record Requested(String upgrade, long atMs, UpgradeRequest request) implements Entry {}

  /**
   * The intent to send a command; it is sent after this line is on disk, and perhaps again.
   *
   * @param number unique within a control plane's journals
   * @param to the broker that gets it
   */
  record Commanded(long atMs, long number, Verb verb, Role to, Map<String, Object> arguments)
      implements Entry {}

  /**
   * Something that the world learns.
   *
   * @param trigger the transition that it makes, if any
   * @param answers the command that it answers, if any
   * @param failure why, if it is the cause of an upgrade's bad end
   */
  record Happened(
      UpgradeEvent event,
      @Nullable Trigger trigger,
      @Nullable Long answers,
      @Nullable Failure failure)
      implements Entry {}

  /**
   * An operator lets a waiting upgrade go on.
   *
   * @param until the phase after which it waits again, if any
   */
  record Continued(long atMs, @Nullable Verb until) implements Entry {}
}
