package io.twinkernel.harness.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.twinkernel.rootfs.Emulator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a run is to do, with everything that needs the outer network done: handed as a file from the
 * process outside the run's network namespace to the one inside.
 *
 * @param emulator the QEMU to run
 * @param kernel bzImage of kernel A
 * @param initrd its initramfs, complete
 * @param from release of kernel A
 * @param to release of kernel B
 * @param twinImage B's bzImage, a path inside A
 * @param twinInitrd B's initramfs, a path inside A
 * @param further the kernels that it goes on to after B, in order
 * @param fileServer where a guest fetches their files, as "HOST:PORT"
 * @param token what the brokers prove themselves with
 * @param cpus CPUs of the machine
 * @param twinCpus those that B starts on, by A's numbers
 * @param memory RAM in MiB
 * @param megabytes data in Redis in MiB
 * @param rewrites values that the outside client writes anew each second
 * @param connections of the outside client
 * @param visitors clients that connect anew for each request
 * @param growth MiB that one connection more adds each second
 * @param pauseMillis between two requests of a connection
 * @param fault to inject, or null
 * @param rehearse whether the upgrade ends before its commit
 * @param workloads what else moves
 * @param disk whether Redis keeps its data on a disk, which moves as well
 * @param postgres whether PostgreSQL moves as well, whose data is on the disk
 * @param keep whether the machine stays up
 * @param out where the reports go
 */
public record RunPlan(
    Emulator emulator,
    String kernel,
    String initrd,
    String from,
    String to,
    String twinImage,
    String twinInitrd,
    List<NextKernel> further,
    String fileServer,
    String token,
    int cpus,
    List<Integer> twinCpus,
    int memory,
    int megabytes,
    int rewrites,
    int connections,
    int visitors,
    double growth,
    int pauseMillis,
    @Nullable Fault fault,
    boolean rehearse,
    WorkloadSet workloads,
    boolean disk,
    boolean postgres,
    boolean keep,
    String out) {

  /**
   * A kernel that is not in A's file system.
   *
   * @param kernel its bzImage, on this host
   * @param initrd its initramfs, on this host
   */
  public record NextKernel(String release, String kernel, String initrd) {}

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String NAME = "run.json";

  public RunPlan {
    further = List.copyOf(further);
    twinCpus = List.copyOf(twinCpus);
  }

  /** Writes it into a run's directory. */
  public void write(Path directory) throws IOException {
    Files.writeString(directory.resolve(NAME), JSON.writeValueAsString(this));
  }

  /** Reads it from a run's directory. */
  public static RunPlan read(Path directory) throws IOException {
    return JSON.readValue(directory.resolve(NAME).toFile(), RunPlan.class);
  }
}
