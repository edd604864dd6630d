package io.twinkernel.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.twinkernel.ffi.bindings.Errnos;
import io.twinkernel.ffi.bindings.Linux;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/**
 * The one door to native code.
 *
 * <p>Linking a function shape costs 5 to 15 ms, twenty times that in an emulated guest, and no AOT
 * cache saves it; fourteen shapes would cost a broker two seconds of its start, or of the gap where
 * one is first used there. So there is one shape, that of {@code syscall(2)} with six
 * register-sized arguments, linked once.
 *
 * <p>A pointer is passed as a number. The segment behind it goes along as an eighth argument, which
 * {@code syscall(2)}, being variadic, ignores: so the linker checks that this thread may access the
 * segment, and keeps it from being freed while the call lasts.
 */
final class NativeCall {
  private static final MethodHandle HANDLE =
      Linker.nativeLinker()
          .downcallHandle(
              FunctionDescriptor.of(
                  JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_LONG,
                  JAVA_LONG, ADDRESS),
              Linker.Option.captureCallState("errno"),
              Linker.Option.firstVariadicArg(1));
  private static final MemorySegment SYSCALL = Linux.syscall.address();
  private static final long ERRNO_OFFSET =
      Linker.Option.captureStateLayout().byteOffset(PathElement.groupElement("errno"));
  private static final ThreadLocal<MemorySegment> STATE = new CallState();

  private NativeCall() {}

  /**
   * Variables that a library exports which this process has loaded.
   *
   * @throws IllegalArgumentException if it cannot be opened
   */
  static Function<String, Optional<MemorySegment>> variables(Path library) {
    return SymbolLookup.libraryLookup(library, Arena.global())::find;
  }

  /**
   * Makes a system call.
   *
   * @param memory what the pointers among the arguments point into, or {@link MemorySegment#NULL}
   * @return the call's result, or minus the errno (-1 to -4095), as the kernel itself returns it
   */
  static long system(
      long number, long a, long b, long c, long d, long e, long f, MemorySegment memory) {
    MemorySegment state = STATE.get();
    long result = invoke(SYSCALL, state, number, a, b, c, d, e, f, memory);
    return result == -1 ? -state.get(JAVA_INT, ERRNO_OFFSET) : result;
  }

  /** A system call without pointers. */
  static long system(long number, long a, long b, long c, long d) {
    return system(number, a, b, c, d, 0, 0, MemorySegment.NULL);
  }

  /** As {@link #system}, again as long as a signal interrupts it. */
  static long uninterrupted(
      long number, long a, long b, long c, long d, long e, long f, MemorySegment memory) {
    while (true) {
      long result = system(number, a, b, c, d, e, f, memory);
      if (result >= 0 || result != -Errnos.EINTR()) {
        return result;
      }
    }
  }

  /** Calls a function that takes nothing and returns a long. */
  static long function(MemorySegment address) {
    return invoke(address, STATE.get(), 0, 0, 0, 0, 0, 0, 0, MemorySegment.NULL);
  }

  /**
   * Calls a function that takes two longs and returns one.
   *
   * @param memory what the arguments point into
   */
  static long function(MemorySegment address, long a, long b, MemorySegment memory) {
    return invoke(address, STATE.get(), a, b, 0, 0, 0, 0, 0, memory);
  }

  private static long invoke(
      MemorySegment function,
      MemorySegment state,
      long number,
      long a,
      long b,
      long c,
      long d,
      long e,
      long f,
      MemorySegment memory) {
    try {
      return (long) HANDLE.invokeExact(function, state, number, a, b, c, d, e, f, memory);
    } catch (RuntimeException | Error failure) {
      throw failure;
    } catch (Throwable impossible) {
      throw new AssertionError("a downcall throws nothing checked", impossible);
    }
  }

  /** Where the linker puts errno, one for each thread. */
  private static final class CallState extends ThreadLocal<MemorySegment> {
    @Override
    protected MemorySegment initialValue() {
      return Arena.ofAuto().allocate(Linker.Option.captureStateLayout());
    }
  }
}
