package org.backplane.vmx;

import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitDispatcher;

/**
 * MSRs that VM entry loads and VM exit stores (SDM 3C 26.4, 27.4): an area in memory with 16 bytes for each, the index in bits 31:0, 0 in bits 63:32,
 * the value in bits 127:64; and IA32_PAT, which has a field and controls of its own. EFER needs none: its field is a view.
 *
 * <p>The area of MSRs that VM exit would load is the host's. The host here is a JVM, which has no MSRs: the area's address is checked, and nothing is
 * loaded.
 */
final class MsrAreas {
    private static final int ENTRY_BYTES = 16, PAT = 0x277;

    /** FS and GS base have fields in the VMCS; x2APIC registers, and the microcode MSRs cannot be loaded. */
    private static final int FS_BASE = 0xc0000100, GS_BASE = 0xc0000101, X2APIC = 0x800, UPDATE_TRIGGER = 0x79, SIGNATURE = 0x8b;

    private final VcpuContext v;
    private final Vmcs vmcs;
    private final ExitDispatcher core;

    MsrAreas(VcpuContext v, Vmcs vmcs, ExitDispatcher core) {
        this.v = v;
        this.vmcs = vmcs;
        this.core = core;
    }

    /** At VM entry. Answers 0, or the number of the entry that cannot be loaded, counted from 1. */
    int load() {
        if ((vmcs.entry & Controls.ENTRY_LOAD_PAT) != 0) core.wrmsr(v, PAT, VmcsField.GUEST_IA32_PAT.get(vmcs));
        long area = VmcsField.VM_ENTRY_MSR_LOAD_ADDRESS.get(vmcs);
        int count = (int) VmcsField.VM_ENTRY_MSR_LOAD_COUNT.get(vmcs);
        for (int n = 0; n < count; n++) {
            long at = host(area + (long) n * ENTRY_BYTES);
            if (at == 0) return n + 1;
            long index = HostMemory.getLong(at);
            if (index >>> 32 != 0 || !loadable((int) index)) return n + 1;
            if (core.wrmsr(v, (int) index, HostMemory.getLong(at + 8)) != Intercepts.DONE) return n + 1;
        }
        return 0;
    }

    private static boolean loadable(int index) {
        return index != FS_BASE && index != GS_BASE && index >>> 8 != X2APIC >>> 8 && index != UPDATE_TRIGGER && index != SIGNATURE;
    }

    /** At VM exit. An MSR that does not exist would shut the processor down (VMX abort); here its value stays as it is. */
    void store() {
        if ((VmcsField.VM_EXIT_CONTROLS.get(vmcs) & Controls.EXIT_SAVE_PAT) != 0 && core.rdmsr(v, PAT) == Intercepts.DONE) {
            VmcsField.GUEST_IA32_PAT.set(vmcs, v.ioValue);
        }
        long area = VmcsField.VM_EXIT_MSR_STORE_ADDRESS.get(vmcs);
        int count = (int) VmcsField.VM_EXIT_MSR_STORE_COUNT.get(vmcs);
        for (int n = 0; n < count; n++) {
            long at = host(area + (long) n * ENTRY_BYTES);
            if (at != 0 && core.rdmsr(v, HostMemory.getInt(at)) == Intercepts.DONE) HostMemory.putLong(at + 8, v.ioValue);
        }
    }

    /** Host address of an entry, which never crosses a page; 0 where there is no memory. */
    private long host(long address) {
        long page = v.memory.frames().host(address >>> 12);
        return page == 0 ? 0 : page + (address & 0xfff);
    }
}
