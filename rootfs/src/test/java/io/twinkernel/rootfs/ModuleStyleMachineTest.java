package io.twinkernel.rootfs;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the kernel's own tools say of the module: sparse, against Debian's headers, and checkpatch
 * from Debian's source package. Each also finds a fault that is put in.
 */
@Tag("machine")
class ModuleStyleMachineTest {
  private static final String SERIES = "6.12";
  private static final String FAULTS = "\nint twin_fault = 0;\nvoid *twin_pointer = 0;\n";

  private final ImageCache cache;
  @TempDir private Path folder;
  private Path sources;

  ModuleStyleMachineTest() throws RootfsException {
    cache = ImageCache.standard();
    sources = Path.of("");
  }

  @BeforeEach
  void copySources() throws IOException, RootfsException {
    sources = Files.createDirectory(folder.resolve("sources"));
    try (var all = Files.newDirectoryStream(ProjectHome.find().moduleSources())) {
      for (Path file : all) {
        if (file.getFileName()
            .toString()
            .matches("\\.checkpatch\\.conf|Makefile|Kbuild|[a-z_]+\\.[chS]")) {
          Files.copy(file, sources.resolve(file.getFileName().toString()));
        }
      }
    }
  }

  @Test
  void sparseIsContent() throws Exception {
    assertThat(sparse()).isEmpty();
    spoil();
    assertThat(sparse()).contains("twin_fault", "Using plain integer as NULL pointer");
  }

  @Test
  void checkpatchIsContent() throws Exception {
    assertThat(checkpatch()).isEmpty();
    spoil();
    assertThat(checkpatch()).contains("ERROR: do not initialise globals to 0");
  }

  private void spoil() throws IOException {
    Files.writeString(sources.resolve("ipi.c"), FAULTS, StandardOpenOption.APPEND);
  }

  private String sparse() throws IOException, RootfsException, InterruptedException {
    Kernel kernel = new KernelCatalog(cache, Progress.silent()).find(KernelSource.parse(SERIES));
    Path headers = kernel.parts().buildFolder();
    List<String> make =
        List.of(
            "make",
            "-s",
            TwinModule.JOBS,
            "-C",
            headers.toString(),
            "M=" + sources,
            "C=2",
            "CC=" + TwinModule.compilerOf(headers),
            "CONFIG_DEBUG_INFO_BTF_MODULES=",
            "modules");
    Command.Result result =
        Command.run(sources, new HashMap<>(kernel.parts().tools().environment()), make);
    return result.text() + result.errors();
  }

  private String checkpatch() throws IOException, RootfsException, InterruptedException {
    List<String> words =
        new ArrayList<>(List.of("perl", script().toString(), "--terse", "--no-summary", "--file"));
    try (var all = Files.newDirectoryStream(sources, "{Makefile,Kbuild,*.[chS]}")) {
      all.forEach(file -> words.add(file.getFileName().toString()));
    }
    return Command.attempt(sources, Map.of(), words).text();
  }

  private Path script() throws IOException, RootfsException, InterruptedException {
    return LinuxSource.checkpatch(cache);
  }
}
