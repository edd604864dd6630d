package io.twinkernel.ffi;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;

/**
 * System calls that are made one after the other within one downcall, until one fails.
 *
 * <p>A downcall takes longer than most system calls do, several times that where little of the
 * program is compiled; who makes hundreds of them while a process stands still says all of them
 * first. {@link Sockets}, {@link Ptrace} and others have methods that add a call to a batch.
 *
 * <p>Calls read from and write to {@link #data}, at places that {@link #room} gives out. One may so
 * be given what an earlier one has written. Calls that signals interrupt are made again. Not
 * thread-safe; where calls are bound to a thread, {@link #run} is.
 */
public final class CallBatch {
  /** src/main/asm/call_batch.S. */
  static final byte[] CODE =
      HexFormat.of()
          .parseHex(
              "535541544889fb4889f54531e44939ec7336488b03488b7b08488b7310488b53"
                  + "184c8b53204c8b43284c8b4b300f054883f8fc74dd488943384883c34049ffc4"
                  + "483d01f0ffff72c54c89e0415c5d5bc3");

  private static final MemorySegment FUNCTION = MachineCode.load("make system calls", CODE);

  // Of a call, in words: its number, six arguments, its result.
  private static final int WORDS = 8;
  private static final int RESULT = 7;
  private static final int MOST_ERRNO = 4095;
  private static final int ALIGNMENT = 8;

  private final MemorySegment memory;
  private final MemorySegment callMemory;
  private final long dataAddress;
  private final ByteBuffer data;
  private final long[] words;
  private final String[] names;
  private final Object[] subjects;
  private int count;
  private int used;

  /**
   * An empty one.
   *
   * @param arena of its memory
   * @param calls how many there will be at most
   * @param bytes how much room they need at most, each rounded up to 8
   */
  public CallBatch(Arena arena, int calls, int bytes) {
    long callBytes = (long) calls * WORDS * Long.BYTES;
    this.memory = arena.allocate(callBytes + bytes, ALIGNMENT);
    this.callMemory = memory.asSlice(0, callBytes);
    this.data = memory.asSlice(callBytes).asByteBuffer().order(ByteOrder.nativeOrder());
    this.dataAddress = memory.address() + callBytes;
    this.words = new long[calls * WORDS];
    this.names = new String[calls];
    this.subjects = new Object[calls];
  }

  /** What calls read and write, by place; in the machine's byte order. */
  public ByteBuffer data() {
    return data;
  }

  /**
   * Gives out room, filled with zeros.
   *
   * @return its place
   */
  public int room(int bytes) {
    int place = used;
    int next = place + Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    if (next > data.capacity()) {
      throw new IllegalStateException(
          "room for " + data.capacity() + " bytes, " + next + " are needed");
    }
    used = next;
    return place;
  }

  /** Gives out room with something in it; returns its place. */
  public int room(byte[] bytes) {
    int place = room(bytes.length);
    data.put(place, bytes);
    return place;
  }

  /** Gives out room with an int in it; returns its place. */
  int roomOf(int value) {
    int place = room(Integer.BYTES);
    data.putInt(place, value);
    return place;
  }

  /** What is at a place, in itself. */
  public MemorySegment memory(int place, int length) {
    return memory.asSlice(callMemory.byteSize() + place, length);
  }

  /** What is at a place. */
  public byte[] bytes(int place, int length) {
    byte[] bytes = new byte[length];
    data.get(place, bytes);
    return bytes;
  }

  /** What a call is given to find a place. */
  long address(int place) {
    return dataAddress + place;
  }

  /**
   * Adds a call.
   *
   * @param name for {@link SyscallException#call}
   * @param subject for {@link SyscallException#arguments}: what it is about
   * @param number __NR_*
   * @return which one it is
   */
  int add(
      String name, Object subject, long number, long a, long b, long c, long d, long e, long f) {
    int call = count++;
    int word = call * WORDS;
    words[word] = number;
    words[word + 1] = a;
    words[word + 2] = b;
    words[word + 3] = c;
    words[word + 4] = d;
    words[word + 5] = e;
    words[word + 6] = f;
    names[call] = name;
    subjects[call] = subject;
    return call;
  }

  /** What a call returned, after {@link #run}: 0 or more. */
  public long result(int call) {
    return words[call * WORDS + RESULT];
  }

  /**
   * Makes the calls.
   *
   * @throws SyscallException of the first one that failed; those after it were not made
   */
  public void run() throws SyscallException {
    int length = count * WORDS;
    MemorySegment.copy(words, 0, callMemory, ValueLayout.JAVA_LONG, 0, length);
    int made = (int) NativeCall.function(FUNCTION, callMemory.address(), count, memory);
    MemorySegment.copy(callMemory, ValueLayout.JAVA_LONG, 0, words, 0, length);
    if (made > 0) {
      int last = made - 1;
      long result = result(last);
      if (result < 0 && result >= -MOST_ERRNO) {
        throw SyscallException.of(names[last], subjects[last].toString(), result);
      }
    }
  }
}
