package io.twinkernel.broker.prestage;

import io.twinkernel.ffi.Fd;
import io.twinkernel.ffi.SyscallException;
import io.twinkernel.ffi.TwinDevice;
import io.twinkernel.ffi.TwinDevice.Exchange;
import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Opens the files on a disk that has just come, and gives them to copies that have stand-ins open.
 * Opened here: a process may have opened them before it gave up the right to, and several may have
 * one by the same opening.
 */
public final class FileExchange {
  private final TwinDevice module;

  /** By who has it, and has it first. */
  private final Map<DiskFile.Opening, Fd> opened = new HashMap<>();

  /** Of copies, each given its files before those that have some by its openings. */
  public FileExchange(TwinDevice module) {
    this.module = module;
  }

  /**
   * Gives a copy its files, which stands still and is traced by the calling thread.
   *
   * @return those that it has by openings of its own, by descriptor; the caller closes them
   */
  Map<Integer, Fd> exchange(int pid, List<DiskFile> files) throws IOException {
    var own = new HashMap<Integer, Fd>();
    var exchanges = new ArrayList<Exchange>(files.size());
    try (var closed = new Opened()) {
      for (DiskFile file : files) {
        var key = new DiskFile.Opening(pid, file.descriptor());
        Optional<DiskFile.Opening> other = file.opening();
        if (other.isEmpty()) {
          own.put(file.descriptor(), closed.add(open(file)));
          opened.put(key, own.get(file.descriptor()));
        } else {
          opened.put(key, other(file, other.get()));
        }
        exchanges.add(new Exchange(file.descriptor(), opened.get(key)));
      }
      module.exchangeFiles(pid, exchanges);
      closed.keep();
      return own;
    }
  }

  private static Fd open(DiskFile file) throws SyscallException {
    return Fd.open(file.path(), file.flags() | Linux.O_CLOEXEC());
  }

  private Fd other(DiskFile file, DiskFile.Opening opening) throws IOException {
    Fd fd = opened.get(opening);
    if (fd == null) {
      throw new IOException(file.path() + " was not opened by process " + opening.pid());
    }
    return fd;
  }
}
