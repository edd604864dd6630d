package io.twinkernel.broker.process;

/** What can be asked of CRIU; {@code enum criu_req_type} of images/rpc.proto. */
public enum CriuCommand {
  /** Dump a process tree. */
  DUMP(1, "dump"),
  /** Restore a process tree. */
  RESTORE(2, "restore"),
  /** What this CRIU and kernel can do. */
  FEATURE_CHECK(9, "feature check"),
  /** Which CRIU it is. */
  VERSION(10, "version"),
  /** Copy memory of a process tree that runs on. */
  PRE_DUMP(13, "pre-dump"),
  /** Start the service; never sent. */
  START(-1, "service");

  private final int number;
  private final String words;

  CriuCommand(int number, String words) {
    this.number = number;
    this.words = words;
  }

  /** The command as an operator says it. */
  public String words() {
    return words;
  }

  int number() {
    return number;
  }
}
