package io.twinkernel.broker.agent;

import io.twinkernel.broker.process.Criu;
import java.util.Optional;

/**
 * What B has ready before the switch.
 *
 * @param nic carries the service's network
 * @param disk the disk that comes, where one does
 * @param service the cgroup into which the processes are restored
 * @param containers what of them is in containers
 * @param clocks of the processes
 * @param youngest the number that A gave last when it told all this
 * @param criu started in it, its kernel features known
 */
record IncomingState(
    IncomingNic nic,
    Optional<IncomingDisk> disk,
    Service service,
    StagedContainers containers,
    ClockSteering clocks,
    int youngest,
    Criu criu) {}
