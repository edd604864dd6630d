package io.twinkernel.ffi;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/**
 * A flag of the JVM that this runs on, one that is on or off. Where it is, and how the table of
 * flags is laid out, the JVM itself says, in the tables that it has for debuggers (hotspot's {@code
 * vmStructs.hpp}).
 */
public final class HotSpotFlag {
  private static final String FLAGS = "JVMFlag";

  private final MemorySegment value;

  private HotSpotFlag(MemorySegment value) {
    this.value = value;
  }

  /**
   * Looks for one.
   *
   * @param name as {@code -XX:+PrintFlagsFinal} prints it
   * @return empty if this JVM does not tell of it, or it is not on or off
   */
  public static Optional<HotSpotFlag> find(String name) {
    Path library = Path.of(System.getProperty("java.home"), "lib", "server", "libjvm.so");
    try {
      return new Tables(NativeCall.variables(library)).flag(name);
    } catch (IllegalArgumentException noSuchLibrary) {
      return Optional.empty();
    }
  }

  /** Whether it is on. */
  public boolean get() {
    return value.get(ValueLayout.JAVA_BYTE, 0) != 0;
  }

  /** Sets it. That the JVM looks at it again, who sets it has to know. */
  public void set(boolean on) {
    value.set(ValueLayout.JAVA_BYTE, 0, (byte) (on ? 1 : 0));
  }

  /** The JVM's tables: of fields, and of types. */
  private record Tables(Function<String, Optional<MemorySegment>> symbols) {
    Optional<HotSpotFlag> flag(String name) {
      long size = size();
      long first = field("flags", "Address");
      long count = field("numFlags", "Address");
      long nameAt = field("_name", "Offset");
      long addressAt = field("_addr", "Offset");
      if (size <= 0 || first <= 0 || count <= 0 || nameAt < 0 || addressAt < 0) {
        return Optional.empty();
      }
      for (long flag = word(first), left = word(count); left > 0; flag += size, left--) {
        if (isText(word(flag + nameAt), name)) {
          MemorySegment value = MemorySegment.ofAddress(word(flag + addressAt)).reinterpret(1);
          byte now = value.get(ValueLayout.JAVA_BYTE, 0);
          return now == 0 || now == 1 ? Optional.of(new HotSpotFlag(value)) : Optional.empty();
        }
      }
      return Optional.empty();
    }

    /** What the table of fields says of one of the flags' type; -1 if it does not have it. */
    private long field(String name, String what) {
      long nameAt = symbol("gHotSpotVMStructEntryFieldNameOffset");
      long entry = entry("gHotSpotVMStruct", FLAGS, nameAt, name);
      return entry < 0 ? -1 : word(entry + symbol("gHotSpotVMStructEntry" + what + "Offset"));
    }

    /** Of one flag, in bytes; -1 if the table of types does not say it. */
    private long size() {
      long entry = entry("gHotSpotVMType", FLAGS, -1, "");
      return entry < 0 ? -1 : word(entry + symbol("gHotSpotVMTypeEntrySizeOffset"));
    }

    /** The entry of a type, or of its field; the table ends with one that has no type. */
    private long entry(String table, String type, long fieldAt, String field) {
      long typeAt = symbol(table + "EntryTypeNameOffset");
      long stride = symbol(table + "EntryArrayStride");
      long entry = symbol(table + "s");
      if (typeAt < 0 || stride <= 0 || entry <= 0) {
        return -1;
      }
      for (; word(entry + typeAt) != 0; entry += stride) {
        if (isText(word(entry + typeAt), type)
            && (fieldAt < 0 || isText(word(entry + fieldAt), field))) {
          return entry;
        }
      }
      return -1;
    }

    /** A variable of 64 bits; -1 if there is none of this name. */
    private long symbol(String name) {
      return symbols.apply(name).map(variable -> word(variable.address())).orElse(-1L);
    }

    private static long word(long address) {
      return MemorySegment.ofAddress(address).reinterpret(8).get(ValueLayout.JAVA_LONG, 0);
    }

    /** Whether a string is there; the last flag has no name. */
    private static boolean isText(long address, String text) {
      return address != 0
          && MemorySegment.ofAddress(address).reinterpret(Long.MAX_VALUE).getString(0).equals(text);
    }
  }
}
