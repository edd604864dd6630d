package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BuildToolsTest {
  private static final Path ECHO = Path.of("/bin/echo");

  @TempDir private Path folder;

  @Test
  void runsAProgramByTheLoaderThatItIsTold() throws Exception {
    Path programs = Files.createDirectories(folder.resolve("usr/bin"));
    Files.copy(ECHO, programs.resolve("x86_64-linux-gnu-say"));
    BuildTools.adapt(folder);

    assertThat(programs.resolve("x86_64-linux-gnu-say.elf")).hasSameBinaryContentAs(ECHO);
    Map<String, String> environment = BuildTools.in(folder).environment();
    // No package brought a C library: this system's loader and library serve.
    assertThat(environment).containsEntry("TWIN_LOADER", "/lib64/ld-linux-x86-64.so.2");
    Command.Result result =
        Command.run(folder, environment, List.of(programs.resolve("say").toString(), "a  b", "c"));
    assertThat(result.text()).isEqualTo("a  b c\n");
  }

  @Test
  void leavesScriptsAndLibrariesAlone() throws Exception {
    Path script = Files.writeString(folder.resolve("script"), "#!/bin/sh\n");
    script.toFile().setExecutable(true);
    Path library = Files.copy(ECHO, folder.resolve("libc.so.6"));
    BuildTools.adapt(folder);

    assertThat(script).hasContent("#!/bin/sh\n");
    assertThat(library).hasSameBinaryContentAs(ECHO);
  }

  @Test
  void thisSystemsToolsNeedNothing() {
    assertThat(BuildTools.ofThisSystem().environment()).isEmpty();
  }

  @Test
  void takesTheCompilerThatTheKernelNames() throws Exception {
    Path configuration =
        Files.createDirectories(folder.resolve("include/config")).resolve("auto.conf");
    assertThat(TwinModule.compilerOf(folder)).isEqualTo("gcc-12");
    Files.writeString(
        configuration,
        "CONFIG_X=y\nCONFIG_CC_VERSION_TEXT=\"x86_64-linux-gnu-gcc-14 (Debian 14.2.0-19) 14.2.0\"\n");
    assertThat(TwinModule.compilerOf(folder)).isEqualTo("x86_64-linux-gnu-gcc-14");
  }
}
