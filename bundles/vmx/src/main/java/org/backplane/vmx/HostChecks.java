package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.vmx.EntryRule.*;

import org.backplane.kvm.spi.mmu.GuestWalk;

/**
 * The checks on the host-state area (SDM 3C 26.2.2 to 26.2.4). The host is a 64-bit one. Its fields change only with VMWRITE.
 */
final class HostChecks {
    private static final VmcsField[] SELECTORS = {
        VmcsField.HOST_ES_SELECTOR, VmcsField.HOST_CS_SELECTOR, VmcsField.HOST_SS_SELECTOR, VmcsField.HOST_DS_SELECTOR,
        VmcsField.HOST_FS_SELECTOR, VmcsField.HOST_GS_SELECTOR, VmcsField.HOST_TR_SELECTOR
    };

    private static final VmcsField[] BASES = {
        VmcsField.HOST_FS_BASE, VmcsField.HOST_GS_BASE, VmcsField.HOST_GDTR_BASE, VmcsField.HOST_IDTR_BASE, VmcsField.HOST_TR_BASE
    };

    private static final long EFER_DEFINED = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX;

    private HostChecks() {}

    /** The rule that is broken, or null. */
    static EntryRule broken(Vmcs m) {
        EntryRule rule = registers(m);
        if (rule == null) rule = segments(m);
        return rule != null ? rule : addressSpace(m);
    }

    /** SDM 3C 26.2.2. */
    private static EntryRule registers(Vmcs m) {
        int exit = (int) VmcsField.VM_EXIT_CONTROLS.get(m);
        long fixed = CR0_PG | CR0_PE | CR0_NE;
        long cr0 = VmcsField.HOST_CR0.get(m);
        long cr4 = VmcsField.HOST_CR4.get(m);
        if ((cr0 & fixed) != fixed || cr0 >>> 32 != 0) return HOST_CR0;
        if ((cr4 & CR4_VMXE) == 0 || (cr4 & ~EntryChecks.CR4_DEFINED) != 0) return HOST_CR4;
        if (VmcsField.HOST_CR3.get(m) >>> GuestWalk.PHYSICAL_BITS != 0) return HOST_CR3;
        if (!canonical(m, VmcsField.HOST_IA32_SYSENTER_ESP) || !canonical(m, VmcsField.HOST_IA32_SYSENTER_EIP)) return HOST_SYSENTER;
        if ((exit & Controls.EXIT_LOAD_PAT) != 0 && !memoryTypes(VmcsField.HOST_IA32_PAT.get(m))) return HOST_PAT;
        if ((exit & Controls.EXIT_LOAD_EFER) != 0) {
            long efer = VmcsField.HOST_IA32_EFER.get(m);
            boolean long64 = (exit & Controls.EXIT_HOST_64) != 0;
            boolean agree = (efer & EFER_LMA) != 0 == long64 && (efer & EFER_LME) != 0 == long64;
            if (!agree || (efer & ~EFER_DEFINED) != 0) return HOST_EFER;
        }
        return null;
    }

    /** SDM 3C 26.2.3. */
    private static EntryRule segments(Vmcs m) {
        for (VmcsField f : SELECTORS) if ((f.get(m) & 7) != 0) return HOST_RPL_TI;
        if (VmcsField.HOST_CS_SELECTOR.get(m) == 0) return EntryRule.HOST_CS;
        if (VmcsField.HOST_TR_SELECTOR.get(m) == 0) return EntryRule.HOST_TR;
        for (VmcsField f : BASES) if (!canonical(m, f)) return HOST_BASE;
        return null;
    }

    /** SDM 3C 26.2.4. */
    private static EntryRule addressSpace(Vmcs m) {
        if ((VmcsField.VM_EXIT_CONTROLS.get(m) & Controls.EXIT_HOST_64) == 0) return HOST_SIZE;
        if ((VmcsField.HOST_CR4.get(m) & CR4_PAE) == 0) return HOST_PAE;
        return canonical(m, VmcsField.HOST_RIP) ? null : EntryRule.HOST_RIP;
    }

    private static boolean canonical(Vmcs m, VmcsField f) {
        return EntryChecks.canonical(f.get(m));
    }

    /** Each byte of a PAT is a memory type: 0, 1, 4 to 7 (SDM 3A 11.12.2). */
    static boolean memoryTypes(long pat) {
        for (int i = 0; i < 64; i += 8) {
            int type = (int) (pat >>> i) & 0xff;
            if (type > 7 || type == 2 || type == 3) return false;
        }
        return true;
    }
}
