package org.backplane.kvm.core.cpu;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;

/**
 * Writes of CR0, CR3, CR4, CR8 and EFER: the checks of the architecture (SDM 3A 2.5, 4.1) and what depends on the register: PDPTEs, the MMU's
 * root, the TLB. The methods answer false where the guest gets #GP(0); then nothing has changed.
 */
public final class ControlRegisters {
    private static final long CR0_DEFINED =
            CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG;

    /** A change of these bits changes how addresses are translated. */
    private static final long CR0_PAGING = CR0_PG | CR0_WP | CR0_PE;

    private static final long CR4_PAGING = CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP;

    /** Bits of CR4 that exist here; VMXE is refused always. */
    private static final long CR4_DEFINED = CR4_VME
            | CR4_PVI
            | CR4_TSD
            | CR4_DE
            | CR4_PSE
            | CR4_PAE
            | CR4_MCE
            | CR4_PGE
            | CR4_PCE
            | CR4_OSFXSR
            | CR4_OSXMMEXCPT;

    private final VcpuContext v;
    private final CpuState s;
    private Mmu mmu;

    public ControlRegisters(VcpuContext v) {
        this.v = v;
        this.s = v.state;
    }

    /** The MMU in service. */
    public void setMmu(Mmu mmu) {
        this.mmu = mmu;
    }

    public boolean setCr0(long value) {
        if (value >>> 32 != 0) return false;
        long cr0 = value & CR0_DEFINED | CR0_ET;
        if ((cr0 & (CR0_NW | CR0_CD)) == CR0_NW) return false;
        if ((cr0 & (CR0_PG | CR0_PE)) == CR0_PG) return false;
        long changed = cr0 ^ s.cr0;
        boolean turnsPagingOn = (changed & cr0 & CR0_PG) != 0;
        boolean longMode = (s.efer & EFER_LME) != 0;
        if (turnsPagingOn && longMode && ((s.cr4 & CR4_PAE) == 0 || (s.segAr[CS] & AR_L) != 0)) return false;
        // SDM 3A 4.4.1: the PDPTEs are loaded again when one of these changes and PAE paging is in use afterwards.
        boolean pae = (cr0 & CR0_PG) != 0 && (s.cr4 & CR4_PAE) != 0 && !longMode;
        boolean reload = pae && (changed & (CR0_PG | CR0_CD | CR0_NW)) != 0;
        if (reload && !loadPdptes(s.cr3)) return false;
        s.cr0 = cr0;
        if ((changed & CR0_PG) != 0 && longMode) {
            s.efer = turnsPagingOn ? s.efer | EFER_LMA : s.efer & ~EFER_LMA;
        }
        if (reload || (changed & CR0_PAGING) != 0) newContext();
        return true;
    }

    /**
     * With paging on, tables outside of memory are refused where they would have to be shadowed, as KVM of 2007 does. With paging off the register is only
     * loaded (SDM 3A 4.3: it is not used), and with EPT the processor loads it by itself.
     */
    public boolean setCr3(long value) {
        if (value >>> (s.longModeActive() ? GuestWalk.PHYSICAL_BITS : 32) != 0) return false;
        if (s.paging() && mmu.kind() == Mmu.Kind.SHADOW && v.memory.frame(value >>> 12) == 0) return false;
        if (s.paging() && (s.cr4 & CR4_PAE) != 0 && !s.longModeActive() && !loadPdptes(value)) return false;
        s.cr3 = value;
        mmu.setRoot(v);
        v.tlb.flush(SoftTlb.Flush.CONTEXT, s.pcid(), 0);
        return true;
    }

    public boolean setCr4(long value) {
        if ((value & ~CR4_DEFINED) != 0) return false;
        long changed = value ^ s.cr4;
        if (s.longModeActive() && (changed & CR4_PAE) != 0) return false;
        boolean pae = (value & CR4_PAE) != 0;
        if (s.paging() && pae && !s.longModeActive() && (changed & (CR4_PAE | CR4_PGE | CR4_PSE)) != 0 && !loadPdptes(s.cr3)) {
            return false;
        }
        s.cr4 = value;
        if ((changed & CR4_PAGING) != 0) newContext();
        return true;
    }

    public boolean setCr8(long value) {
        if ((value & ~15L) != 0) return false;
        s.cr8 = value;
        return true;
    }

    /**
     * @param known the bits that CPUID reports, see {@link Cpuid#efer}; LMA is the processor's own
     * @return false for #GP(0)
     */
    public boolean setEfer(long value, long known) {
        if ((value & ~(known | EFER_LMA)) != 0) return false;
        long changed = value ^ s.efer;
        if (s.paging() && (changed & EFER_LME) != 0) return false;
        s.efer = value & ~EFER_LMA | s.efer & EFER_LMA;
        if ((changed & EFER_NX) != 0) newContext();
        return true;
    }

    /** Looks the root up again and forgets all translations. */
    public void newContext() {
        mmu.setRoot(v);
        v.tlb.flush(false);
    }

    /** Reloads the PDPTEs if the guest is in PAE mode, for a state that was set from outside. */
    public boolean reloadPdptes() {
        boolean pae = s.paging() && (s.cr4 & CR4_PAE) != 0 && !s.longModeActive();
        return !pae || loadPdptes(s.cr3);
    }

    private boolean loadPdptes(long cr3) {
        return GuestWalk.loadPdptes(v.memory, cr3, v.guestPdpte);
    }
}
