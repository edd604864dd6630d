package io.twinkernel.broker.process;

import java.io.IOException;
import java.net.ProtocolException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Makes the images of forks those of the processes that they were forked from: numbers, threads,
 * and what fork(2) does not pass on.
 *
 * <p>The numbers of fields are those of images/core.proto, core-x86.proto, pstree.proto,
 * rseq.proto, fdinfo.proto and regfile.proto in CRIU 3.17.1, unchanged up to 4.2. What a copy has
 * in its registers is what the fork's only thread has, for all threads alike: they are written
 * before it runs.
 */
final class ForkImages {
  /** Those with the number of a process in their name (criu/image-desc.c). */
  private static final List<String> OF_A_PROCESS =
      List.of(
          "core",
          "ids",
          "mm",
          "fs",
          "pagemap",
          "vmas",
          "sigacts",
          "itimers",
          "posix-timers",
          "creds",
          "rlimit",
          "signal-s",
          "signal-p");

  // core_entry
  private static final int THREAD_INFO = 2;
  private static final int TASK = 3;
  private static final int IDS = 4;
  private static final int THREAD = 5;
  // thread_info_x86
  private static final int CLEAR_TID = 1;
  // task_core_entry
  private static final int COMMAND = 6;
  private static final int SUBREAPER = 18;
  // thread_core_entry
  private static final int ROBUST_LIST = 1;
  private static final int ROBUST_LENGTH = 2;
  private static final int NICE = 3;
  private static final int POLICY = 4;
  private static final int PRIORITY = 5;
  private static final int STACK = 7;
  private static final int DEATH_SIGNAL = 8;
  private static final int NAME = 13;
  private static final int RESTARTABLE = 15;
  // pstree_entry
  private static final int THREADS = 5;
  // file_entry
  private static final int REGULAR = 3;
  // reg_file_entry
  private static final int PATH = 6;
  private static final int SIZE = 8;

  private ForkImages() {}

  /**
   * Rewrites a folder of images.
   *
   * @param tree all processes, a parent before its children
   * @param images of the forks, whole
   * @param growing files that the process may have written to since it was forked: their sizes are
   *     not to be compared
   * @throws CriuException if they are not what CRIU makes of a process
   */
  static void become(List<ForkedProcess> tree, Path images, Set<String> growing)
      throws IOException {
    for (ForkedProcess process : tree) {
      become(process, images);
    }
    try {
      var entries = new ArrayList<ProtobufMessage>();
      for (ForkedProcess process : tree) {
        entries.add(entry(process));
      }
      Path file = images.resolve("pstree.img");
      CriuImage.read(file).with(entries).write(file);
      if (!growing.isEmpty()) {
        forgetSizes(images.resolve("files.img"), growing);
      }
    } catch (ProtocolException e) {
      throw failure("its images: " + e.getMessage());
    }
  }

  private static CriuException failure(String why) {
    return new CriuException(CriuCommand.DUMP, 0, why, "", "");
  }

  private static void become(ForkedProcess process, Path images) throws IOException {
    int fork = process.fork();
    for (String kind : OF_A_PROCESS) {
      Path image = images.resolve(name(kind, fork));
      if (Files.exists(image)) {
        Files.move(image, images.resolve(name(kind, process.pid())));
      }
    }
    Path leader = images.resolve(name("core", process.pid()));
    try {
      CriuImage core = CriuImage.read(leader);
      byte[] message = core.only().toByteArray();
      for (ThreadAttributes thread : process.threads()) {
        boolean first = thread.thread() == process.pid();
        ProtobufMessage own = ProtobufMessage.parse(message);
        if (first) {
          task(own, process);
        } else {
          own.without(TASK).without(IDS);
        }
        thread(own, thread);
        core.with(List.of(own)).write(images.resolve(name("core", thread.thread())));
      }
    } catch (ProtocolException e) {
      throw failure("its images of process " + fork + ": " + e.getMessage());
    }
  }

  private static void task(ProtobufMessage core, ForkedProcess process) throws ProtocolException {
    ProtobufMessage task = needed(core.message(TASK), "tc");
    task.text(COMMAND, process.threads().getFirst().name());
    task.number(SUBREAPER, process.subreaper() ? 1 : 0);
    core.message(TASK, task);
  }

  private static void thread(ProtobufMessage core, ThreadAttributes thread)
      throws ProtocolException {
    ProtobufMessage info = needed(core.message(THREAD_INFO), "thread_info");
    core.message(THREAD_INFO, info.number(CLEAR_TID, thread.clearTid()));
    ProtobufMessage attributes = needed(core.message(THREAD), "thread_core");
    attributes.number(ROBUST_LIST, thread.robustList());
    attributes.number(ROBUST_LENGTH, thread.robustLength());
    attributes.signed(NICE, thread.scheduling().nice());
    attributes.number(POLICY, thread.scheduling().policy());
    attributes.without(PRIORITY);
    if (thread.scheduling().priority() != 0) {
      attributes.number(PRIORITY, thread.scheduling().priority());
    }
    ThreadAttributes.SignalStack stack = thread.stack();
    attributes.message(
        STACK,
        ProtobufMessage.empty()
            .number(1, stack.address())
            .number(2, stack.bytes())
            .number(3, Integer.toUnsignedLong(stack.flags())));
    attributes.without(DEATH_SIGNAL);
    if (thread.parentDeathSignal() != 0) {
      attributes.number(DEATH_SIGNAL, thread.parentDeathSignal());
    }
    attributes.text(NAME, thread.name());
    attributes.without(RESTARTABLE);
    thread
        .restartable()
        .ifPresent(
            area ->
                attributes.message(
                    RESTARTABLE,
                    ProtobufMessage.empty()
                        .number(1, area.address())
                        .number(2, area.bytes())
                        .number(3, Integer.toUnsignedLong(area.signature()))));
    core.message(THREAD, attributes);
  }

  private static void forgetSizes(Path image, Set<String> growing) throws IOException {
    CriuImage files = CriuImage.read(image);
    for (ProtobufMessage file : files.entries()) {
      Optional<ProtobufMessage> regular = file.message(REGULAR);
      if (regular.isPresent() && growing.contains(regular.get().text(PATH))) {
        file.message(REGULAR, regular.get().without(SIZE));
      }
    }
    files.write(image);
  }

  private static ProtobufMessage entry(ForkedProcess process) {
    ProtobufMessage entry =
        ProtobufMessage.empty()
            .number(1, process.pid())
            .number(2, process.parent())
            .number(3, process.group())
            .number(4, process.session());
    for (ThreadAttributes thread : process.threads()) {
      entry.add(THREADS, thread.thread());
    }
    return entry;
  }

  private static ProtobufMessage needed(Optional<ProtobufMessage> part, String name)
      throws ProtocolException {
    return part.orElseThrow(() -> new ProtocolException("there is no " + name));
  }

  private static String name(String kind, int number) {
    return kind + "-" + number + ".img";
  }
}
