/**
 * Devices: what a card implements and the world it sees.
 *
 * <pre>{@code
 * public void attach(DeviceContext c) {
 *     irq = c.irq("irq");
 *     c.claimPorts("regs", 1, new IoHandler() { … });
 * }
 * }</pre>
 */
@Export
@Version("1.2.0")
package org.backplane.kvm.spi.device;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
