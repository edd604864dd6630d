package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import io.twinkernel.ffi.bindings.utsname;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * What {@code uname(2)} says of the running kernel.
 *
 * @param release such as {@code 6.1.0-42-cloud-amd64}; the name of its folder in /lib/modules
 * @param version build number and date
 * @param machine such as {@code x86_64}
 */
public record Uname(String system, String node, String release, String version, String machine) {

  /** Of the kernel that runs this process. */
  public static Uname current() throws SyscallException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment names = arena.allocate(utsname.layout());
      long result = NativeCall.system(Linux.__NR_uname(), names.address(), 0, 0, 0, 0, 0, names);
      if (result < 0) {
        throw SyscallException.of("uname", "", result);
      }
      return new Uname(
          utsname.sysname(names).getString(0),
          utsname.nodename(names).getString(0),
          utsname.release(names).getString(0),
          utsname.version(names).getString(0),
          utsname.machine(names).getString(0));
    }
  }
}
