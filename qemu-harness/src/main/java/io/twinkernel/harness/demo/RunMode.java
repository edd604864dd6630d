package io.twinkernel.harness.demo;

/** What a run's machine is for; the word is an option of {@link InsideCommand}. */
enum RunMode {
  /** An upgrade under load. */
  UPGRADE,
  /** The same way by kexec, see {@link KexecBaseline}. */
  KEXEC,
  /** The link between the two kernels, see {@link LinkRun}. */
  LINK
}
