package io.twinkernel.broker.process;

import java.net.ProtocolException;

/**
 * A decoded {@code criu_resp} of images/rpc.proto.
 *
 * @param success whether the request was served
 * @param errno {@code cr_errno}, 0 for none
 * @param error {@code cr_errmsg}, the first error that CRIU logged; empty for none
 * @param pid what was restored, real PID of its root; 0 in other answers
 * @param version of CRIU as major·10000 + minor·100 + sublevel; 0 in other answers
 * @param tracksMemory whether the kernel has soft-dirty bits; false in other answers
 */
record CriuResponse(
    boolean success, int errno, String error, int pid, int version, boolean tracksMemory) {

  static CriuResponse parse(byte[] message) throws ProtocolException {
    ProtobufReader in = new ProtobufReader(message);
    boolean success = false;
    int errno = 0;
    String error = "";
    int pid = 0;
    int version = 0;
    boolean tracksMemory = false;
    while (in.next()) {
      switch (in.field()) {
        case 2 -> success = in.flag();
        case 4 -> pid = (int) numberOf(in.message(), 1);
        case 7 -> errno = (int) in.number();
        case 8 -> tracksMemory = numberOf(in.message(), 1) != 0;
        case 9 -> error = in.text();
        case 10 ->
            version =
                (int)
                    (numberOf(in.message(), 1) * 10_000
                        + numberOf(in.message(), 2) * 100
                        + numberOf(in.message(), 4));
        default -> {} // fields of requests that we never make
      }
    }
    return new CriuResponse(success, errno, error, pid, version, tracksMemory);
  }

  private static long numberOf(ProtobufReader message, int field) throws ProtocolException {
    long value = 0;
    while (message.next()) {
      if (message.field() == field) {
        value = message.number();
      }
    }
    return value;
  }
}
