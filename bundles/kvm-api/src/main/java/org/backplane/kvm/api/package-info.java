/**
 * The KVM API: create a VM, give it memory, create a vCPU, run it until an exit. For callers; implemented by the core.
 *
 * <pre>{@code
 * try (Vm vm = kvm.createVm()) {
 *     vm.setMemoryRegion(0, 0, 0, 1 << 20);
 *     MemorySegment.copy(code, 0, vm.map(), JAVA_BYTE, 0x1000, code.length);
 *     Vcpu vcpu = vm.createVcpu(0);
 *     // … setSregs, setRegs
 *     while (true) {
 *         KvmRun run = vcpu.run();
 *         switch (run.exitReason) {
 *             case IO -> serve(run);
 *             case HLT -> { return; }
 *             default -> throw new IllegalStateException(run.exitReason.toString());
 *         }
 *     }
 * }
 * }</pre>
 */
@Export
@Version("1.0.0")
package org.backplane.kvm.api;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
