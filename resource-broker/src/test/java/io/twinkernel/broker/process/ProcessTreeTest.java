package io.twinkernel.broker.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.twinkernel.ffi.Errno;
import io.twinkernel.ffi.SyscallException;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

class ProcessTreeTest {

  /** A line of a 6.1 kernel, with the most hostile name that a process can give itself. */
  private static final String LINE =
      "5001 (re) d (s) 3) T 1 5001 5001 0 -1 1077936384 2512 0 0 0 12 34 0 0 20 0 5 0 3141"
          + " 71303168 1700 18446744073709551615 94000000000000 94000000000001 140000000000000 0 0"
          + " 0 0 4097 1066 0 0 0 17 0 0 0 0 0 0 94000000000002 94000000000003 94000000000004"
          + " 140000000000001 140000000000002 140000000000002 140000000000003 0\n";

  @Test
  void aStatLineIsRead() throws IOException {
    assertThat(ProcessTree.parse(LINE))
        .isEqualTo(new ServiceProcess(5001, 1, "re) d (s) 3", 'T', 1700 * 4096L, 5));
  }

  @Test
  void whatIsNoStatLineIsRefused() {
    for (String line : List.of("", "5001", "5001 (redis", "5001 (redis) T 1 5001", "(x) R 1")) {
      assertThatThrownBy(() -> ProcessTree.parse(line)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void ourselves() throws IOException {
    ProcessHandle self = ProcessHandle.current();
    ServiceProcess process = ProcessTree.read((int) self.pid());
    assertThat(process.pid()).isEqualTo((int) self.pid());
    assertThat(process.parent()).isEqualTo((int) self.parent().orElseThrow().pid());
    assertThat(process.name()).isEqualTo("java");
    assertThat(process.threads()).isGreaterThan(3);
    assertThat(process.residentBytes()).isBetween(16L << 20, 16L << 30);
  }

  @Test
  void noSuchProcess() {
    assertThatThrownBy(() -> ProcessTree.read(Integer.MAX_VALUE))
        .isInstanceOfSatisfying(
            SyscallException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENOENT));
  }

  @Test
  void rootsAreThoseWhoseParentsAreOutside() {
    ProcessTree tree =
        new ProcessTree(List.of(process(30, 20), process(20, 1), process(21, 20), process(40, 1)));
    assertThat(tree.roots()).extracting(ServiceProcess::pid).containsExactly(20, 40);
    assertThat(tree.residentBytes()).isEqualTo(4 * 4096);
  }

  private static ServiceProcess process(int pid, int parent) {
    return new ServiceProcess(pid, parent, "p", 'S', 4096, 1);
  }
}
