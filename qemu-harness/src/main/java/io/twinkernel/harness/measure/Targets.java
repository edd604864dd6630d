package io.twinkernel.harness.measure;

import picocli.CommandLine.Option;

/** What the figures are held against. */
final class Targets {

  @Option(
      names = "--median-at-most",
      paramLabel = "MS",
      description = "the median gap that is promised (default: ${DEFAULT-VALUE})")
  double medianMs = 250;

  @Option(
      names = "--worst-at-most",
      paramLabel = "MS",
      description = "the worst gap that is promised (default: ${DEFAULT-VALUE})")
  double worstMs = 500;

  @Option(
      names = "--ratio-at-least",
      paramLabel = "TIMES",
      description =
          "how much shorter than by kexec it is promised to be (default: ${DEFAULT-VALUE})")
  double ratio = 20;
}
