package io.twinkernel.broker.prestage;

import java.util.Arrays;

/**
 * An option of a socket, as setsockopt(2) takes it.
 *
 * @param level SOL_* or IPPROTO_*
 * @param name of that level
 * @param value in the option's own type
 */
record SocketOption(int level, int name, byte[] value) {
  @Override
  public boolean equals(Object other) {
    return other instanceof SocketOption that
        && level == that.level
        && name == that.name
        && Arrays.equals(value, that.value);
  }

  @Override
  public int hashCode() {
    return 31 * level + name;
  }
}
