package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ErrnoTest {
  @TempDir Path folder;

  @Test
  void namesAndDescriptionsAreThoseOfTheCLibrary() throws Exception {
    CCompiler.Result library =
        CCompiler.run(
            folder,
            """
            #include <stdio.h>
            #include <string.h>
            int main(void) {
              for (int number = 1; number < 4096; number++)
                if (strerrorname_np(number))
                  printf("%d %s %s\\n", number, strerrorname_np(number), strerrordesc_np(number));
            }
            """);

    StringBuilder ours = new StringBuilder();
    for (int number = 1; number < 4096; number++) {
      Errno errno = new Errno(number);
      if (!errno.name().startsWith("errno ")) {
        ours.append("%d %s %s%n".formatted(number, errno.name(), errno.description()));
      }
    }
    assertThat(ours.toString()).isEqualToIgnoringCase(library.output());
    assertThat(ours.toString().lines()).hasSizeGreaterThan(130);
  }

  @Test
  void aNumberThatLinuxDoesNotHaveStillReads() {
    assertThat(new Errno(4000)).hasToString("errno 4000 (unknown error)");
    assertThat(new Errno(41)).hasToString("errno 41 (unknown error)");
    assertThat(new Errno(-1)).hasToString("errno -1 (unknown error)");
  }
}
