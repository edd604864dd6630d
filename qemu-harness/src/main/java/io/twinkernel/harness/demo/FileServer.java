package io.twinkernel.harness.demo;

import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.SimpleFileServer;
import io.twinkernel.harness.HarnessException;
import io.twinkernel.harness.net.Namespace;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Where a kernel that serves gets the next one's files, as from a package mirror. */
final class FileServer implements AutoCloseable {

  /** At the host's end of the tap. */
  static final String ADDRESS = Namespace.HOST + ":7443";

  private final HttpServer server;

  private FileServer(HttpServer server) {
    this.server = server;
  }

  /**
   * Serves {@code /RELEASE/vmlinuz} and {@code /RELEASE/initrd} of each kernel.
   *
   * @param folder is made, and holds links to them
   */
  static FileServer start(Path folder, List<RunPlan.NextKernel> kernels) throws HarnessException {
    try {
      Files.createDirectories(folder);
      for (RunPlan.NextKernel kernel : kernels) {
        Path place = folder.resolve(kernel.release());
        if (!Files.exists(place)) {
          Files.createDirectories(place);
          copy(Path.of(kernel.kernel()), place.resolve("vmlinuz"));
          copy(Path.of(kernel.initrd()), place.resolve("initrd"));
        }
      }
      int port = Integer.parseInt(ADDRESS.substring(ADDRESS.indexOf(':') + 1));
      HttpServer server =
          SimpleFileServer.createFileServer(
              new InetSocketAddress(Namespace.HOST, port),
              folder.toAbsolutePath(),
              SimpleFileServer.OutputLevel.NONE);
      server.start();
      return new FileServer(server);
    } catch (IOException failure) {
      throw new HarnessException.Machine(
          "the kernels' files cannot be served at " + ADDRESS + ": " + failure, failure);
    }
  }

  /** The server follows no symbolic links. */
  private static void copy(Path file, Path place) throws IOException {
    try {
      Files.createLink(place, file);
    } catch (IOException | UnsupportedOperationException otherDisk) {
      Files.copy(file, place);
    }
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
