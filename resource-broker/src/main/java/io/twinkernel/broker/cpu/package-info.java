/** CPU hotplug through sysfs. */
@NullMarked
package io.twinkernel.broker.cpu;

import org.jspecify.annotations.NullMarked;
