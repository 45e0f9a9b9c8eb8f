/**
 * CPU backends and instruction emulators: the state of a vCPU, its TLB, and the calls between engine, backend and core.
 *
 * <p>Who calls whom on the thread of a vCPU: core → {@link org.backplane.kvm.spi.cpu.CpuBackend#enter} → {@link
 * org.backplane.kvm.spi.cpu.Emulator#run} → {@link org.backplane.kvm.spi.cpu.Intercepts} (the backend) → {@link
 * org.backplane.kvm.spi.exit.ExitDispatcher} (the core).
 *
 * <pre>{@code
 * int reason = backend.enter(vcpu, budget, false);
 * if (reason == ExitReasons.HLT) …
 * }</pre>
 */
@Export
@Version("1.0.0")
package org.backplane.kvm.spi.cpu;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
