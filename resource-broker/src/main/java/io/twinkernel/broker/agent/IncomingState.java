package io.twinkernel.broker.agent;

import io.twinkernel.broker.process.Criu;
import java.util.Optional;

/**
 * What B has ready before the switch.
 *
 * @param function PCI address of the NIC that comes
 * @param ssdt describes the bus it is on
 * @param standIn holds its addresses until then
 * @param disk the disk that comes, where one does
 * @param service the cgroup into which the processes are restored
 * @param containers what of them is in containers
 * @param rehearsal a NIC of the same kind to practise on, where there is one
 * @param criu started in it, its kernel features known
 */
record IncomingState(
    String function,
    byte[] ssdt,
    StandInInterface standIn,
    Optional<IncomingDisk> disk,
    Service service,
    StagedContainers containers,
    Optional<NicRehearsal> rehearsal,
    Criu criu) {}
