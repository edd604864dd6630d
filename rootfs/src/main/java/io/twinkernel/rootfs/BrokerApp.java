package io.twinkernel.rootfs;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The Java program that runs in both kernels.
 *
 * @param jars its class path, in order
 * @param mainClass what to run
 * @param training arguments of the run that its ahead-of-time cache is made from; none: no cache
 */
public record BrokerApp(List<Path> jars, String mainClass, List<String> training) {
  private static final List<String> NAMES = List.of("resource-broker-", "native-", "jackson-core-");

  private static final String MAIN = "io.twinkernel.broker.Main";

  public BrokerApp {
    jars = List.copyOf(jars);
    training = List.copyOf(training);
  }

  /** The broker, as this JVM's class path has it. */
  public static BrokerApp standard() throws RootfsException {
    return from(System.getProperty("java.class.path"));
  }

  static BrokerApp from(String classPath) throws RootfsException {
    List<Path> all =
        Arrays.stream(classPath.split(File.pathSeparator, -1))
            .filter(one -> one.endsWith(".jar"))
            .map(one -> Path.of(one).toAbsolutePath())
            .toList();
    List<Path> jars =
        NAMES.stream()
            .flatMap(
                name -> all.stream().filter(jar -> jar.getFileName().toString().startsWith(name)))
            .filter(Files::isRegularFile)
            .toList();
    if (jars.size() < NAMES.size()) {
      throw new RootfsException(
          RootfsException.Code.CHECKOUT,
          "the broker's jars are not on the class path",
          "of " + NAMES + " only " + jars + " are there",
          "Run ./twin build.");
    }
    return new BrokerApp(jars, MAIN, List.of("--train"));
  }
}
