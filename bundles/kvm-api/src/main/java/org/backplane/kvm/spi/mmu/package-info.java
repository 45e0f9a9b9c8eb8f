/**
 * Guest memory and MMU strategies: slots, frames, the tables that the processor walks.
 *
 * <pre>{@code
 * switch (mmu.fault(v, gva, errorCode)) {
 *     case FIXED -> enterAgain();
 *     case GUEST -> inject(14, v.faultError);
 *     case MMIO, EMULATE -> emulator.emulateOne(v, ops);
 * }
 * }</pre>
 */
@Export
@Version("1.1.0")
package org.backplane.kvm.spi.mmu;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
