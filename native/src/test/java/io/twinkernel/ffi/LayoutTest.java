package io.twinkernel.ffi;

import static org.assertj.core.api.Assertions.assertThat;

import io.twinkernel.ffi.BoundHeaders.Claim;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bindings say what the real headers say. */
final class LayoutTest {
  @TempDir Path folder;

  @Test
  void everySizeOffsetAndConstantIsThatOfTheHeaders() throws Exception {
    List<Claim> claims = BoundHeaders.claims();

    CCompiler.Result result = CCompiler.check(folder, BoundHeaders.source(claims));

    assertThat(result.output()).isEmpty();
    assertThat(result.exitCode()).isZero();
  }

  @Test
  void everyBoundStructureIsLookedAt() throws Exception {
    List<String> expressions = BoundHeaders.claims().stream().map(Claim::expression).toList();
    List<String> arguments = new ArrayList<>();
    for (String name : List.of("linux", "errnos", "netlink", "twin")) {
      Path file = CCompiler.BINDING_HEADERS.resolve(name + ".args");
      arguments.addAll(Files.readAllLines(file));
    }
    List<String> wanted = new ArrayList<>();
    for (String argument : arguments) {
      if (argument.startsWith("--include-struct ")) {
        wanted.add("sizeof(struct " + argument.substring("--include-struct ".length()) + ")");
      }
      if (argument.startsWith("--include-typedef ")) {
        wanted.add("sizeof(" + argument.substring("--include-typedef ".length()) + ")");
      }
      if (argument.startsWith("--include-constant ")) {
        wanted.add("(" + argument.substring("--include-constant ".length()) + ")");
      }
    }

    assertThat(wanted).hasSizeGreaterThan(300);
    assertThat(wanted)
        .allSatisfy(
            part -> assertThat(expressions).anyMatch(expression -> expression.endsWith(part)));
  }

  @Test
  void allOfTheModulesHeaderIsBound() throws Exception {
    String header = Files.readString(CCompiler.TWIN_HEADERS.resolve("twin.h"));
    List<String> wanted =
        Pattern.compile("^#define (TWIN_\\w+)\\s+\\S|^struct (twin_\\w+) \\{", Pattern.MULTILINE)
            .matcher(header)
            .results()
            .map(
                match ->
                    match.group(1) == null
                        ? "--include-struct " + match.group(2)
                        : "--include-constant " + match.group(1))
            .toList();

    assertThat(wanted).hasSizeGreaterThan(30);
    assertThat(Files.readAllLines(CCompiler.BINDING_HEADERS.resolve("twin.args")))
        .containsAll(wanted);
  }

  @Test
  void aWrongValueIsFound() throws Exception {
    for (String expression :
        List.of(
            "sizeof(struct twin_info)",
            "offsetof(stack_t, ss_size)",
            "offsetof(struct twin_shared, baton)",
            "sizeof(((struct nlmsghdr *)0)->nlmsg_type)",
            "(int)(EBUSY)",
            "(long long)(TWIN_IOC_ARM)")) {
      List<Claim> claims = new ArrayList<>(BoundHeaders.claims());
      int index = claims.stream().map(Claim::expression).toList().indexOf(expression);
      claims.set(index, new Claim(expression, claims.get(index).value() + 1));

      CCompiler.Result result = CCompiler.check(folder, BoundHeaders.source(claims));

      assertThat(result.exitCode()).as(expression).isNotZero();
      assertThat(result.output()).contains("static assertion failed: \"" + expression);
    }
  }
}
