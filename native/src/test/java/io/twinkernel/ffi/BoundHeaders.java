package io.twinkernel.ffi;

import io.twinkernel.ffi.bindings.Linux;
import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.PaddingLayout;
import java.lang.foreign.SequenceLayout;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Everything that the generated bindings claim about the C headers, found by reflection, so that
 * none can be forgotten.
 */
final class BoundHeaders {
  private static final String PACKAGE = "io.twinkernel.ffi.bindings.";

  private BoundHeaders() {}

  /** C expressions that must have these values: sizes, offsets and constants. */
  record Claim(String expression, long value) {
    String assertion() {
      return "_Static_assert((%s) == %dLL, \"%s\");\n"
          .formatted(expression, value, expression.replace("\"", ""));
    }
  }

  /** A C file that compiles only if all claims are true. */
  static String source(List<Claim> claims) {
    StringBuilder source = new StringBuilder();
    for (String header : List.of("linux.h", "errnos.h", "netlink.h", "twin.h")) {
      source.append("#include \"").append(header).append("\"\n");
    }
    source.append("#include <stddef.h>\n");
    claims.forEach(claim -> source.append(claim.assertion()));
    return source.toString();
  }

  static List<Claim> claims() throws IOException, ReflectiveOperationException {
    List<Claim> claims = new ArrayList<>();
    for (Class<?> type : types()) {
      Optional<GroupLayout> struct = layout(type);
      if (struct.isPresent()) {
        addLayout(claims, cName(type, struct.get()), struct.get());
      } else {
        addConstants(claims, type);
      }
    }
    return claims;
  }

  private static Optional<GroupLayout> layout(Class<?> type) throws ReflectiveOperationException {
    for (Method method : type.getDeclaredMethods()) {
      if (method.getName().equals("layout") && isGetter(method)) {
        return Optional.of((GroupLayout) method.invoke(null));
      }
    }
    return Optional.empty();
  }

  private static void addConstants(List<Claim> claims, Class<?> header)
      throws ReflectiveOperationException {
    for (Method method : header.getDeclaredMethods()) {
      String cast = method.getReturnType().getName().replace("long", "long long");
      if (isGetter(method) && method.getReturnType().isPrimitive()) {
        Number value = (Number) method.invoke(null);
        claims.add(new Claim("(%s)(%s)".formatted(cast, method.getName()), value.longValue()));
      }
    }
  }

  private static List<Class<?>> types() throws IOException, ReflectiveOperationException {
    List<Class<?>> types = new ArrayList<>();
    Path folder;
    try {
      folder =
          Path.of(Linux.class.getProtectionDomain().getCodeSource().getLocation().toURI())
              .resolve(PACKAGE.replace('.', '/'));
    } catch (URISyntaxException impossible) {
      throw new AssertionError(impossible);
    }
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        if (name.endsWith(".class") && !name.contains("$") && !name.startsWith("package-info")) {
          types.add(Class.forName(PACKAGE + name.replace(".class", "")));
        }
      }
    }
    return types;
  }

  private static boolean isGetter(Method method) {
    int wanted = Modifier.PUBLIC | Modifier.STATIC;
    return (method.getModifiers() & wanted) == wanted && method.getParameterCount() == 0;
  }

  /** A structure without a tag has only the name of its typedef, which is also the class's. */
  private static String cName(Class<?> type, GroupLayout layout) {
    String tag = layout.name().orElseThrow();
    return tag.startsWith("$anon$") ? type.getSimpleName() : "struct " + tag;
  }

  private static void addLayout(List<Claim> claims, String struct, GroupLayout layout) {
    claims.add(new Claim("sizeof(%s)".formatted(struct), layout.byteSize()));
    claims.add(new Claim("_Alignof(%s)".formatted(struct), layout.byteAlignment()));
    for (MemoryLayout member : layout.memberLayouts()) {
      if (member instanceof PaddingLayout) {
        continue;
      }
      String name = member.name().orElseThrow();
      long offset = layout.byteOffset(PathElement.groupElement(name));
      claims.add(new Claim("offsetof(%s, %s)".formatted(struct, name), offset));
      if (member instanceof SequenceLayout array && array.elementCount() == 0) {
        // A flexible array has no size; its element has.
        claims.add(
            new Claim(
                "sizeof(((%s *)0)->%s[0])".formatted(struct, name),
                array.elementLayout().byteSize()));
      } else {
        claims.add(new Claim("sizeof(((%s *)0)->%s)".formatted(struct, name), member.byteSize()));
      }
    }
  }
}
