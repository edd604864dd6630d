package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.twinkernel.ffi.bindings.Linux;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a kernel refuses; the harness loads real modules. ENOSYS: it was built without modules. */
final class KernelModulesTest {
  @TempDir Path folder;

  @Test
  void aFileThatIsNoModuleIsRefused() throws Exception {
    Path text = Files.writeString(folder.resolve("twin.ko"), "no module".repeat(1000));
    try (Fd file = Fd.open(text.toString(), Linux.O_RDONLY())) {
      assertThatExceptionOfType(SyscallException.class)
          .isThrownBy(() -> KernelModules.load(file, "debug=1", 0))
          .satisfies(
              failure -> assertThat(failure.errno().name()).isIn("ENOEXEC", "EPERM", "ENOSYS"))
          .withMessageStartingWith("finit_module(%s, \"debug=1\"): E", text);
    }
  }

  @Test
  void aModuleThatIsNotThereCannotBeUnloaded() {
    assertThatExceptionOfType(SyscallException.class)
        .isThrownBy(() -> KernelModules.unload("no_such_module"))
        .satisfies(failure -> assertThat(failure.errno().name()).isIn("ENOENT", "EPERM", "ENOSYS"))
        .withMessageStartingWith("delete_module(no_such_module): E");
  }
}
