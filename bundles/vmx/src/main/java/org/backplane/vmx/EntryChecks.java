package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.vmx.EntryRule.*;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.mmu.GuestWalk;

/**
 * The checks on the guest state at VM entry (SDM 3C 26.3.1). A method answers the rule that is broken, or null.
 *
 * <p>{@link #broken} is made in full at every entry and after every exit handled in place that may have changed a checked register: some sixty
 * compares of fields that are in the cache anyway, which is less than remembering what was checked. {@link #fields} looks at what only VMWRITE
 * changes.
 *
 * <p><b>Unrestricted guest.</b> {@link #broken} has the rules as that control relaxes them; {@link #needsUnrestrictedGuest} has those it
 * takes away. A processor without it cannot run such a state (real mode, and the moments after leaving it).
 */
final class EntryChecks {
    /** The bits of CR4 that this processor has. */
    static final long CR4_DEFINED = CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_OSFXSR
            | CR4_OSXMMEXCPT | CR4_UMIP | CR4_VMXE | CR4_PCIDE | CR4_OSXSAVE | CR4_SMEP | CR4_SMAP;

    private static final long EFER_DEFINED = EFER_SCE | EFER_LME | EFER_LMA | EFER_NX;

    /** IA32_DEBUGCTL: LBR and BTF. */
    private static final long DEBUGCTL_DEFINED = 3, DEBUGCTL_BTF = 2;

    /** Pending debug exceptions: B0 to B3, enabled breakpoint (12), BS (14). */
    private static final long PENDING_DEFINED = 0x500f, BS = 1 << 14;

    private static final long PDPTE_RESERVED = -(1L << GuestWalk.PHYSICAL_BITS) | 0x1e6;

    private static final int TYPE_OTHER = 7 << 8;

    private EntryChecks() {}

    /** The first broken rule, or null. */
    static EntryRule broken(Vmcs m) {
        CpuState s = m.s;
        EntryRule rule = controlRegisters(s);
        if (rule == null) rule = s.vm86() ? SegmentChecks.virtual8086(s) : SegmentChecks.segments(s);
        if (rule == null) rule = SegmentChecks.system(s);
        if (rule == null) rule = SegmentChecks.tables(s);
        if (rule == null) rule = ripAndRflags(s);
        if (rule == null) rule = nonRegisterState(m, s);
        if (rule == null && s.paging() && (s.cr4 & CR4_PAE) != 0 && !s.longModeActive()) rule = pdptes(m.v.guestPdpte);
        return rule;
    }

    /** The rules about guest-state fields that only VMWRITE changes. */
    static EntryRule fields(Vmcs m) {
        if ((VmcsField.GUEST_IA32_DEBUGCTL.get(m) & ~DEBUGCTL_DEFINED) != 0) return DEBUGCTL_RESERVED;
        boolean pat = (VmcsField.VM_ENTRY_CONTROLS.get(m) & Controls.ENTRY_LOAD_PAT) != 0;
        if (pat && !HostChecks.memoryTypes(VmcsField.GUEST_IA32_PAT.get(m))) return GUEST_PAT;
        long link = VmcsField.VMCS_LINK_POINTER.get(m);
        return link == -1 || regionAt(m, link) ? null : LINK_POINTER;
    }

    /** A page whose first word is the revision (SDM 3C 24.2). */
    private static boolean regionAt(Vmcs m, long address) {
        if ((address & 0xfff) != 0 || address >>> GuestWalk.PHYSICAL_BITS != 0) return false;
        long host = m.v.memory.frames().host(address >>> 12);
        return host != 0 && HostMemory.getInt(host) == VmxRoot.REVISION;
    }

    /** A rule that only unrestricted guest takes away, or null. */
    static EntryRule needsUnrestrictedGuest(CpuState s) {
        if ((s.cr0 & CR0_PE) == 0) return CR0_PE_RESTRICTED;
        return s.vm86() ? null : SegmentChecks.restricted(s);
    }

    /** SDM 3C 26.3.1.1. */
    private static EntryRule controlRegisters(CpuState s) {
        boolean ia32e = s.longModeActive();
        if (s.cr0 >>> 32 != 0) return CR0_FIXED;
        if ((s.cr0 & (CR0_PG | CR0_PE)) == CR0_PG) return CR0_PG_PE;
        if ((s.cr4 & ~CR4_DEFINED) != 0) return CR4_FIXED;
        if (ia32e && (s.cr0 & CR0_PG) == 0) return CR0_PG_IA32E;
        if (ia32e && (s.cr4 & CR4_PAE) == 0) return CR4_PAE_IA32E;
        if (!ia32e && (s.cr4 & CR4_PCIDE) != 0) return PCIDE_IA32E;
        if (s.cr3 >>> GuestWalk.PHYSICAL_BITS != 0) return CR3_RESERVED;
        if (s.dr[7] >>> 32 != 0) return DR7_HIGH;
        if (!canonical(s.sysenterEsp) || !canonical(s.sysenterEip)) return SYSENTER_CANONICAL;
        if ((s.efer & ~EFER_DEFINED) != 0) return EFER_RESERVED;
        if (s.paging() && ia32e != ((s.efer & EFER_LME) != 0)) return EFER_LMA_LME;
        return null;
    }

    /** SDM 3C 26.3.1.4. */
    private static EntryRule ripAndRflags(CpuState s) {
        boolean ia32e = s.longModeActive();
        if (ia32e && (s.segAr[CS] & AR_L) != 0) {
            if (!canonical(s.rip)) return RIP_CANONICAL;
        } else if (s.rip >>> 32 != 0) {
            return RIP_HIGH;
        }
        // The arithmetic flags live elsewhere; their places may hold anything.
        int f = s.rflagsOther & ~ARITHMETIC_FLAGS;
        if ((f & (0xffc08028 | 2)) != 2) return RFLAGS_RESERVED;
        if ((f & VM) != 0 && (ia32e || (s.cr0 & CR0_PE) == 0)) return RFLAGS_VM;
        if (injecting(s, TYPE_EXTERNAL) && (f & IF) == 0) return RFLAGS_IF;
        return null;
    }

    /** SDM 3C 26.3.1.5. */
    private static EntryRule nonRegisterState(Vmcs m, CpuState s) {
        int blocking = s.blocking;
        int stiMovSs = blocking & (BLOCKING_STI | BLOCKING_MOV_SS);
        if (s.activity != ACTIVE) {
            if ((s.activity & ~3) != 0) return ACTIVITY;
            if (s.activity == HLT && SegmentChecks.dpl(s.segAr[SS]) != 0) return HLT_DPL;
            if (stiMovSs != 0) return ACTIVE_BLOCKING;
            if (s.injectInfo < 0 && !wakes(s.activity, s.injectInfo)) return ACTIVITY_INJECTION;
        }
        if ((blocking & ~15) != 0) return BLOCKING_RESERVED;
        if (stiMovSs == (BLOCKING_STI | BLOCKING_MOV_SS)) return BLOCKING_BOTH;
        if ((blocking & BLOCKING_STI) != 0 && (s.rflagsOther & IF) == 0) return BLOCKING_STI_IF;
        if (stiMovSs != 0 && injecting(s, TYPE_EXTERNAL)) return BLOCKING_EXTERNAL;
        if ((blocking & BLOCKING_SMI) != 0) return BLOCKING_SMI_OUTSIDE;
        if (injecting(s, TYPE_NMI)) {
            if ((blocking & BLOCKING_MOV_SS) != 0) return BLOCKING_MOV_SS_NMI;
            boolean virtual = (m.pin & Controls.PIN_VIRTUAL_NMI) != 0;
            if (virtual && (blocking & BLOCKING_NMI) != 0) return BLOCKING_NMI_INJECTION;
        }
        if ((s.pendingDebug & ~PENDING_DEFINED) != 0) return PENDING_RESERVED;
        return singleStepHeld(s) && (s.pendingDebug & BS) != 0 != singleSteps(m) ? PENDING_BS : null;
    }

    /** A single-step trap that is due waits: the state must say whether there is one. */
    private static boolean singleStepHeld(CpuState s) {
        return (s.blocking & (BLOCKING_STI | BLOCKING_MOV_SS)) != 0 || s.activity == HLT;
    }

    private static boolean singleSteps(Vmcs m) {
        return (m.s.rflagsOther & TF) != 0 && (VmcsField.GUEST_IA32_DEBUGCTL.get(m) & DEBUGCTL_BTF) == 0;
    }

    /**
     * Makes the pending debug exceptions say what VM exit would have saved (SDM 3C 27.3.4). The engine does not note a single-step trap that MOV
     * SS holds back, because it raises it after the next instruction all the same.
     */
    static void saveSingleStep(Vmcs m) {
        CpuState s = m.s;
        if (!singleStepHeld(s)) return;
        if (singleSteps(m)) s.pendingDebug |= BS;
        else s.pendingDebug &= ~BS;
    }

    /** SDM 3C 26.3.1.6. */
    private static EntryRule pdptes(long[] pdpte) {
        for (long e : pdpte) if ((e & 1) != 0 && (e & PDPTE_RESERVED) != 0) return PDPTE;
        return null;
    }

    private static boolean injecting(CpuState s, int type) {
        return (s.injectInfo & (INFO_VALID | INFO_TYPE)) == (INFO_VALID | type);
    }

    /** HLT takes external interrupts, NMIs, #DB, #MC and a pending monitor trap; shutdown NMIs and #MC; wait-for-SIPI nothing. */
    private static boolean wakes(int activity, int info) {
        int type = info & INFO_TYPE;
        boolean nmiOrMc = type == TYPE_NMI || type == TYPE_HARDWARE_EXCEPTION && (info & 0xff) == 18;
        if (activity == SHUTDOWN) return nmiOrMc;
        return activity == HLT
                && (nmiOrMc || type == TYPE_EXTERNAL || type == TYPE_OTHER || type == TYPE_HARDWARE_EXCEPTION && (info & 0xff) == 1);
    }

    static boolean canonical(long address) {
        return address << 16 >> 16 == address;
    }
}
