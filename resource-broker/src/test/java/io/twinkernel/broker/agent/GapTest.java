package io.twinkernel.broker.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What runs for the first time in the gap, and is not rehearsed, evaluates no lambda there: the
 * first evaluation spins a class, which took 100 ms of an emulated gap.
 */
final class GapTest {
  private static final String LAMBDAS = "java/lang/invoke/LambdaMetafactory";

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Incoming: receive, handle",
        "IncomingSwitch: nicReleased, diskReleased, delta, resume, restore",
        "IncomingSwitch$TakeDisk: run",
        "IncomingDisk: mount, thaw",
        "PrestagedProcesses: takePages, diskFiles, reopen, take, seek, check, connect, resume",
        "StandInInterface: prepare, replace",
        "IncomingFunction: take, open",
        "IncomingPort: open, give",
        "ServicePort: release, forward, forwardAll, left",
        "Prestaging: restructuredAtLast, suspects, sendRest",
        "Prestaging$SendDescriptors: at",
        "HandOver: complete",
        "OutgoingSwitch: awaitResumed, await",
        "Attempt: sendMemory, sendDisk, giveNic, sendRest",
      })
  void evaluatesNoLambdaForTheFirstTime(String where) throws IOException {
    String[] parts = where.split(": ", 2);
    ClassModel model = read(parts[0]);
    for (String name : parts[1].split(", ", -1)) {
      List<MethodModel> methods =
          model.methods().stream()
              .filter(method -> method.methodName().equalsString(name))
              .toList();
      assertThat(methods).as("%s.%s", parts[0], name).isNotEmpty();
      assertThat(methods.stream().mapToLong(GapTest::lambdas).sum())
          .as("lambdas of %s.%s", parts[0], name)
          .isZero();
    }
  }

  /** What a process stands still for that the canary does not have: it is no large one. */
  @Test
  void theForkPutsNothingInWords() throws IOException {
    List<MethodModel> methods =
        read("/io/twinkernel/broker/prestage/Forking").methods().stream()
            .filter(
                method ->
                    method.methodName().equalsString("inherit")
                        || method.methodName().equalsString("doFork"))
            .toList();
    assertThat(methods).hasSize(2);
    assertThat(methods.stream().flatMap(GapTest::evaluations)).isEmpty();
  }

  private static ClassModel read(String name) throws IOException {
    try (InputStream file =
        Objects.requireNonNull(GapTest.class.getResourceAsStream(name + ".class"), name)) {
      return ClassFile.of().parse(file.readAllBytes());
    }
  }

  private static Stream<InvokeDynamicInstruction> evaluations(MethodModel method) {
    return method.code().stream()
        .flatMap(code -> code.elementList().stream())
        .filter(InvokeDynamicInstruction.class::isInstance)
        .map(InvokeDynamicInstruction.class::cast);
  }

  private static long lambdas(MethodModel method) {
    return evaluations(method)
        .filter(call -> call.bootstrapMethod().owner().descriptorString().contains(LAMBDAS))
        .count();
  }
}
