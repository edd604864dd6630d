package io.twinkernel.broker.agent;

import io.twinkernel.broker.image.KernelImage;
import io.twinkernel.broker.link.SharedRegion;
import io.twinkernel.broker.memory.MemoryLoan;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How far an upgrade has come on the kernel that gives (A). Each verb takes the stage before it and
 * makes the next one:
 *
 * <pre>
 *   Idle ─plan▶ Planned ─prepare▶ Prepared ─boot▶ Booted ─precopy▶ Copied ─switch▶ Left
 *    ▲──────────────────────── rollback ◀──────────────────────────┘
 * </pre>
 */
sealed interface Stage {
  /** No upgrade. */
  record Idle() implements Stage {}

  /**
   * Checked and found possible; nothing has changed.
   *
   * @param image kernel B
   * @param lent bytes that A is to let go so that the processes fit into B
   * @param detail what moves and what stays, for the operator
   */
  record Planned(UpgradePlan plan, KernelImage image, long lent, Map<String, Object> detail)
      implements Stage {}

  /**
   * B's image, tables and resources are ready.
   *
   * @param apicIds of the CPUs that B gets when it starts
   * @param loan memory that B gets before the processes come
   */
  record Prepared(
      UpgradePlan plan, List<Integer> apicIds, SharedRegion region, MemoryLoan loan, Undo undo)
      implements Stage {}

  /**
   * B runs and its broker answers.
   *
   * @param running what stops B again
   * @param bootTime what B took from the first instruction to its broker's first message
   * @param link what was measured of the link, empty if nothing was
   */
  record Booted(
      Prepared prepared,
      Undo running,
      Peer peer,
      String kernel,
      Duration bootTime,
      Map<String, Object> link)
      implements Stage {}

  /**
   * B is ready for the switch and holds all but the last changes of the processes' memory.
   *
   * @param nic goes to B, or falls silent for B's
   * @param disk likewise, where the policy names one
   * @param service the processes that go to B
   * @param clocks that they have
   * @param copy what of their memory B has
   * @param prestaging the copies of them that wait in B, if there are any
   * @param copies makes both
   * @param guard watches over this broker
   */
  record Copied(
      Booted booted,
      OutgoingNic nic,
      Optional<ServiceDisk> disk,
      Service service,
      ServiceClocks clocks,
      ProcessCopy copy,
      Prestaging prestaging,
      Copies copies,
      Guard guard)
      implements Stage {}

  /** B owns the machine's work; A only waits to give the rest. */
  record Left(Copied copied) implements Stage {}
}
