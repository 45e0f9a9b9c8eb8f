package org.backplane.vmx.realmode;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.backplane.kvm.spi.cpu.SoftTlb;

/**
 * What the processor's registers hold while it runs a guest that thinks it is in real mode, or without paging, and the way there and back.
 *
 * <p><b>Two views of one vCPU.</b> {@code CpuState} is the guest's: real mode, CR0.PE clear, its own IOPL, TR and segments. VM entry exchanges it for
 * the processor's view, and every VM exit changes it back before anything outside of this backend is called. So the engine really
 * executes virtual-8086 code (privilege level 3, traps and all), a card, the shell or a swap sees real mode only, and a VMCS that is read shows
 * what the processor has.
 *
 * <p><b>Virtual-8086 view.</b> RFLAGS.VM and CR0.PE are set; every segment has selector = base / 16, limit 0xFFFF, access rights 0xF3; TR is the TSS in
 * the reserved pages (access rights 0x8B). IOPL is 0, so that each instruction that touches IF or shows IOPL traps (SDM 3B 20.2.7); KVM of
 * 2007 took 3 and CR4.VME, which is {@code legacy} here. CR0.AM is clear and IA32_SYSENTER_CS 0, because neither alignment checks nor SYSENTER exist in
 * real mode. The way back gives a segment its saved rights if its base is as before, and otherwise those of a load in real mode: 0x93, CS 0x9B.
 *
 * <p><b>Identity view.</b> Under EPT a processor without unrestricted guest walks page tables even if the guest has paging off: CR3 names a
 * directory that maps each address to itself, CR0.PG and CR4.PSE are set, CR4.PAE and EFER.LME clear. The virtual-8086 view includes it there.
 *
 * <p><b>Thread.</b> That of the vCPU.
 */
final class RealModeView {
    private static final int VM86_RIGHTS = 0xf3, DATA_RIGHTS = 0x93, CODE_RIGHTS = 0x9b, TSS_RIGHTS = 0x8b;
    private static final long LIMIT = 0xffff;

    private static final int NONE = 0, VM86 = 1, IDENTITY = 2;

    private final CpuState s;

    /** The view that is in the registers now. */
    private int view = NONE;

    /** As KVM of 2007 did it. */
    private boolean legacy;

    /** The processor walks page tables of the guest's, so it gets some. */
    private boolean ept;

    private RealModePages pages = RealModePages.STANDARD;

    // The guest's own values meanwhile.
    private int iopl;
    private long cr0, cr3, cr4, efer, sysenterCs;
    private final int[] selector = new int[8], rights = new int[8];
    private final long[] base = new long[8], limit = new long[8];

    RealModeView(CpuState s) {
        this.s = s;
    }

    void configure(boolean legacy, boolean ept, RealModePages pages) {
        this.legacy = legacy;
        this.ept = ept;
        this.pages = pages;
    }

    boolean vm86() {
        return view == VM86;
    }

    boolean active() {
        return view != NONE;
    }

    /** CR0 as the guest reads it, whichever view the registers hold. */
    long guestCr0() {
        return switch (view) {
            case VM86 -> cr0;
            case IDENTITY -> s.cr0 & ~CR0_PG;
            default -> s.cr0;
        };
    }

    /** CR4 as the guest reads it. */
    long guestCr4() {
        return switch (view) {
            case VM86 -> cr4;
            case IDENTITY -> s.cr4 & ~(CR4_PAE | CR4_PSE) | cr4 & (CR4_PAE | CR4_PSE);
            default -> s.cr4;
        };
    }

    // ---- virtual-8086 mode ----

    /** Can virtual-8086 mode express the guest's six segments? (kvm-internals 4; SDM 3C 26.3.1.2) */
    boolean expressible() {
        for (int seg = ES; seg <= GS; seg++) if (!expressible(seg)) return false;
        return true;
    }

    private boolean expressible(int seg) {
        long b = s.segBase[seg];
        int ar = s.segAr[seg];
        if (s.segLimit[seg] != LIMIT || (ar & (AR_UNUSABLE | AR_P | AR_DB)) != AR_P) return false;
        if ((ar & 0xc) == 4) return false; // expand-down
        if (!legacy) return b == (long) s.segSel[seg] << 4;
        return (b & 0xf) == 0 && b <= 0xffff0 || seg == CS && b == 0xffff0000L;
    }

    /** Real mode becomes virtual-8086 mode. */
    void toVm86() {
        save();
        view = VM86;
        if (legacy && s.segBase[CS] == 0xffff0000L) base[CS] = s.segBase[CS] = 0xf0000;
        for (int seg = ES; seg <= GS; seg++) {
            s.segSel[seg] = (int) (s.segBase[seg] >>> 4);
            s.segLimit[seg] = LIMIT;
            s.segAr[seg] = VM86_RIGHTS;
        }
        s.segSel[TR] = 0;
        s.segBase[TR] = pages.tss();
        s.segLimit[TR] = RealModePages.TSS_LIMIT;
        s.segAr[TR] = TSS_RIGHTS;
        iopl = s.rflagsOther & IOPL;
        s.rflagsOther = s.rflagsOther & ~IOPL | VM | (legacy ? IOPL : 0);
        s.cpl = 3;
        s.cr0 = s.cr0 & ~CR0_AM | CR0_PE;
        if (legacy) s.cr4 |= CR4_VME;
        s.sysenterCs = 0;
        if (ept) identityMap();
    }

    private void fromVm86() {
        for (int seg = ES; seg <= GS; seg++) {
            if (s.segBase[seg] == base[seg]) {
                s.segSel[seg] = selector[seg];
                s.segLimit[seg] = limit[seg];
                s.segAr[seg] = rights[seg];
            } else {
                s.segAr[seg] = seg == CS ? CODE_RIGHTS : DATA_RIGHTS;
            }
        }
        s.segSel[TR] = selector[TR];
        s.segBase[TR] = base[TR];
        s.segLimit[TR] = limit[TR];
        s.segAr[TR] = rights[TR];
        s.rflagsOther = s.rflagsOther & ~(VM | IOPL) | iopl;
        s.cpl = 0;
        // Virtual-8086 code cannot load a control register or an MSR.
        s.cr0 = cr0;
        s.cr4 = cr4;
        s.sysenterCs = sysenterCs;
        restorePaging();
    }

    private void save() {
        for (int seg = 0; seg < 8; seg++) {
            selector[seg] = s.segSel[seg];
            base[seg] = s.segBase[seg];
            limit[seg] = s.segLimit[seg];
            rights[seg] = s.segAr[seg];
        }
        savePaging();
        sysenterCs = s.sysenterCs;
    }

    /**
     * The guest went to protected mode: makes of what real mode left in the segments a state that VM entry takes, as KVM of 2007 did. It shows: SS holds a
     * null selector, CS has RPL 0.
     */
    void legacyLeave() {
        for (int seg = ES; seg <= GS; seg++) {
            if (seg != CS && seg != SS) s.segAr[seg] = DATA_RIGHTS | (s.segSel[seg] & 3) << 5;
        }
        s.segSel[SS] = 0;
        s.segAr[SS] = DATA_RIGHTS;
        s.segSel[CS] &= ~3;
        s.segAr[CS] = CODE_RIGHTS;
    }

    // ---- identity map ----

    /** Protected mode without paging gets the identity map. */
    void toIdentity() {
        savePaging();
        view = IDENTITY;
        identityMap();
    }

    private void identityMap() {
        s.cr0 |= CR0_PG;
        s.cr3 = pages.identityMap();
        s.cr4 = s.cr4 & ~CR4_PAE | CR4_PSE;
        s.efer &= ~EFER_LME;
    }

    private void savePaging() {
        cr0 = s.cr0;
        cr3 = s.cr3;
        cr4 = s.cr4;
        efer = s.efer;
    }

    private void restorePaging() {
        s.cr3 = cr3;
        s.efer = efer;
    }

    // ---- back ----

    /** The registers hold the guest's view again; nothing happens if they do. */
    void toGuest() {
        if (view == NONE) return;
        if (view == VM86) {
            fromVm86();
        } else {
            // Bits that the guest may write without an exit are its own already.
            long guestCr0 = guestCr0();
            long guestCr4 = guestCr4();
            s.cr0 = guestCr0;
            s.cr4 = guestCr4;
            restorePaging();
        }
        view = NONE;
    }

    /** The half of the TLB that code of this privilege level uses; what ran meanwhile may have chosen the other. */
    void selectTlb(SoftTlb tlb) {
        tlb.base = s.cpl == 3 ? SoftTlb.USER : SoftTlb.SUPERVISOR;
    }
}
