package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * The checks on the guest state at VM entry (SDM 3C 26.3.1). {@link #broken} answers the rule that is broken, in the words of the shell and
 * of {@code v.exit.failedCheck}, or null.
 *
 * <p>They are made in full at every entry and after every exit handled in place that may have changed a checked register: some sixty compares of
 * fields that are in the cache anyway, which is less than remembering what was checked.
 *
 * <p><b>Unrestricted guest.</b> {@link #broken} has the rules as that control relaxes them; {@link #needsUnrestrictedGuest} has those it
 * takes away. A processor without it cannot run such a state (real mode, and the moments after leaving it).
 *
 * <p>Not checked: bit BS of the pending debug exceptions against TF (SDM 3C 26.3.1.5), because {@code CpuState} has no
 * IA32_DEBUGCTL.BTF; and what {@code CpuState} cannot express.
 */
final class EntryChecks {
    static final String CR0_PG_PE = "SDM 26.3.1.1: CR0.PG needs CR0.PE",
            CR4_PAE_IA32E = "SDM 26.3.1.1: IA-32e mode with paging needs CR4.PAE",
            CR3_RESERVED = "SDM 26.3.1.1: CR3 is within the physical-address width",
            DR7_HIGH = "SDM 26.3.1.1: bits 63:32 of DR7 are 0",
            SYSENTER_CANONICAL = "SDM 26.3.1.1: IA32_SYSENTER_ESP and _EIP are canonical",
            EFER_LMA_LME = "SDM 26.3.1.1: EFER.LMA is EFER.LME when paging is on",
            SELECTOR_TI = "SDM 26.3.1.2: TI of TR, and of LDTR if usable, is 0",
            VM86_BASE = "SDM 26.3.1.2: virtual-8086: base is selector * 16",
            VM86_LIMIT = "SDM 26.3.1.2: virtual-8086: limit is 0xFFFF",
            VM86_RIGHTS = "SDM 26.3.1.2: virtual-8086: access rights are 0xF3",
            BASE_HIGH = "SDM 26.3.1.2: bits 63:32 of the bases of CS, SS, DS, ES are 0",
            BASE_CANONICAL = "SDM 26.3.1.2: the bases of TR, FS, GS, LDTR are canonical",
            CS_TYPE = "SDM 26.3.1.2: CS.type is 9, 11, 13, 15, or 3 for an unrestricted guest",
            SS_TYPE = "SDM 26.3.1.2: SS.type is 3 or 7",
            DATA_TYPE = "SDM 26.3.1.2: DS, ES, FS, GS are accessed, and readable if code",
            SEGMENT_S = "SDM 26.3.1.2: S is 1 for code and data",
            CS_DPL = "SDM 26.3.1.2: CS.DPL fits SS.DPL",
            SS_DPL_REAL = "SDM 26.3.1.2: SS.DPL is 0 in real mode and with CS.type 3",
            SEGMENT_P = "SDM 26.3.1.2: P is 1 for usable segments",
            SEGMENT_RESERVED = "SDM 26.3.1.2: reserved bits of access rights are 0",
            CS_L_D = "SDM 26.3.1.2: CS.D is 0 in 64-bit mode",
            SEGMENT_G = "SDM 26.3.1.2: G fits the limit",
            TR_TYPE = "SDM 26.3.1.2: TR.type is 11, or 3 outside of IA-32e mode",
            TR_RIGHTS = "SDM 26.3.1.2: TR: S is 0, P is 1, usable, reserved bits 0",
            LDTR_RIGHTS = "SDM 26.3.1.2: LDTR: type 2, S is 0, P is 1, reserved bits 0",
            TABLE_LIMIT = "SDM 26.3.1.3: bits 31:16 of GDTR and IDTR limits are 0",
            TABLE_CANONICAL = "SDM 26.3.1.3: GDTR and IDTR bases are canonical",
            RIP_HIGH = "SDM 26.3.1.4: bits 63:32 of RIP are 0 outside of 64-bit mode",
            RIP_CANONICAL = "SDM 26.3.1.4: RIP is canonical",
            RFLAGS_RESERVED = "SDM 26.3.1.4: reserved bits of RFLAGS",
            RFLAGS_VM = "SDM 26.3.1.4: RFLAGS.VM is 0 in real and IA-32e mode",
            RFLAGS_IF = "SDM 26.3.1.4: RFLAGS.IF is 1 when an external interrupt is injected",
            ACTIVITY = "SDM 26.3.1.5: the activity state is 0 to 3",
            HLT_DPL = "SDM 26.3.1.5: HLT state only with SS.DPL 0",
            ACTIVE_BLOCKING = "SDM 26.3.1.5: active state under blocking by STI or MOV SS",
            ACTIVITY_INJECTION = "SDM 26.3.1.5: the activity state takes the injected event",
            BLOCKING_RESERVED = "SDM 26.3.1.5: reserved bits of the interruptibility state",
            BLOCKING_BOTH = "SDM 26.3.1.5: blocking by STI and by MOV SS exclude each other",
            BLOCKING_STI_IF = "SDM 26.3.1.5: blocking by STI needs RFLAGS.IF",
            BLOCKING_EXTERNAL = "SDM 26.3.1.5: no blocking when an external interrupt is injected",
            BLOCKING_NMI_INJECTION = "SDM 26.3.1.5: no blocking by MOV SS or NMI when an NMI is injected",
            PENDING_RESERVED = "SDM 26.3.1.5: reserved bits of the pending debug exceptions",
            PDPTE = "SDM 26.3.1.6: reserved bits of a present PDPTE";

    static final String UNRESTRICTED_CR0 = "SDM 26.3.1.1: CR0.PE is 1",
            UNRESTRICTED_RPL = "SDM 26.3.1.2: SS.RPL is CS.RPL",
            UNRESTRICTED_CS_TYPE = "SDM 26.3.1.2: CS.type is 9, 11, 13 or 15",
            UNRESTRICTED_SS_DPL = "SDM 26.3.1.2: SS.DPL is SS.RPL",
            UNRESTRICTED_DATA_DPL = "SDM 26.3.1.2: DPL of DS, ES, FS, GS is at least RPL";

    /** Bits 31:17 and 11:8 of access rights. */
    private static final int AR_RESERVED = 0xfffe0f00;

    private EntryChecks() {}

    /** The first broken rule, or null. */
    static String broken(CpuState s, long[] guestPdpte) {
        String rule = controlRegisters(s);
        if (rule == null) rule = s.vm86() ? virtual8086Segments(s) : segments(s);
        if (rule == null) rule = systemSegments(s);
        if (rule == null) rule = ripAndRflags(s);
        if (rule == null) rule = nonRegisterState(s);
        if (rule == null && s.paging() && (s.cr4 & CR4_PAE) != 0 && !s.longModeActive()) rule = pdptes(guestPdpte);
        return rule;
    }

    /** A rule that only unrestricted guest takes away, or null. */
    static String needsUnrestrictedGuest(CpuState s) {
        if ((s.cr0 & CR0_PE) == 0) return UNRESTRICTED_CR0;
        if (s.vm86()) return null;
        if (((s.segSel[SS] ^ s.segSel[CS]) & 3) != 0) return UNRESTRICTED_RPL;
        if ((s.segAr[CS] & AR_TYPE) == 3) return UNRESTRICTED_CS_TYPE;
        if (dpl(s.segAr[SS]) != (s.segSel[SS] & 3)) return UNRESTRICTED_SS_DPL;
        return dataDpl(s, DS) && dataDpl(s, ES) && dataDpl(s, FS) && dataDpl(s, GS) ? null : UNRESTRICTED_DATA_DPL;
    }

    private static boolean dataDpl(CpuState s, int seg) {
        int ar = s.segAr[seg];
        // Conforming code (types 12 to 15) has no such rule.
        return (ar & AR_UNUSABLE) != 0 || (ar & AR_TYPE) >= 12 || dpl(ar) >= (s.segSel[seg] & 3);
    }

    private static String controlRegisters(CpuState s) {
        if ((s.cr0 & (CR0_PG | CR0_PE)) == CR0_PG) return CR0_PG_PE;
        boolean ia32e = s.longModeActive();
        if (ia32e && (s.cr4 & CR4_PAE) == 0) return CR4_PAE_IA32E;
        if ((s.cr3 >>> 52) != 0) return CR3_RESERVED;
        if ((s.dr[7] >>> 32) != 0) return DR7_HIGH;
        if (!canonical(s.sysenterEsp) || !canonical(s.sysenterEip)) return SYSENTER_CANONICAL;
        if (s.paging() && ia32e != ((s.efer & EFER_LME) != 0)) return EFER_LMA_LME;
        return null;
    }

    private static String virtual8086Segments(CpuState s) {
        for (int seg = ES; seg <= GS; seg++) {
            if (s.segBase[seg] != (long) s.segSel[seg] << 4) return VM86_BASE;
            if (s.segLimit[seg] != 0xffff) return VM86_LIMIT;
            if (s.segAr[seg] != 0xf3) return VM86_RIGHTS;
        }
        return null;
    }

    private static String segments(CpuState s) {
        int cs = s.segAr[CS];
        int ss = s.segAr[SS];
        int type = cs & AR_TYPE;
        if (type != 3 && (type & 9) != 9) return CS_TYPE;
        if (type == 3 ? dpl(cs) != 0 : type < 12 ? dpl(cs) != dpl(ss) : dpl(cs) > dpl(ss)) return CS_DPL;
        if ((s.longModeActive() && (cs & AR_L) != 0) && (cs & AR_DB) != 0) return CS_L_D;
        if ((ss & AR_UNUSABLE) == 0 && (ss & 0xb) != 3) return SS_TYPE;
        if (((s.cr0 & CR0_PE) == 0 || type == 3) && dpl(ss) != 0) return SS_DPL_REAL;
        for (int seg = ES; seg <= GS; seg++) {
            int ar = s.segAr[seg];
            if (seg >= FS && !canonical(s.segBase[seg])) return BASE_CANONICAL;
            if ((ar & AR_UNUSABLE) != 0 && seg != CS) continue;
            // Accessed; and readable, if code.
            if (seg != CS && seg != SS && ((ar & 1) == 0 || (ar & 0xa) == 8)) return DATA_TYPE;
            if ((ar & AR_S) == 0) return SEGMENT_S;
            if ((ar & AR_P) == 0) return SEGMENT_P;
            if ((ar & AR_RESERVED) != 0) return SEGMENT_RESERVED;
            if (!granularity(ar, s.segLimit[seg])) return SEGMENT_G;
            if (seg < FS && s.segBase[seg] >>> 32 != 0) return BASE_HIGH;
        }
        return null;
    }

    private static String systemSegments(CpuState s) {
        int tr = s.segAr[TR];
        int type = tr & AR_TYPE;
        if (type != 11 && (type != 3 || s.longModeActive())) return TR_TYPE;
        if ((tr & (AR_S | AR_P | AR_UNUSABLE | AR_RESERVED)) != AR_P) return TR_RIGHTS;
        if (!granularity(tr, s.segLimit[TR])) return SEGMENT_G;
        if ((s.segSel[TR] & 4) != 0) return SELECTOR_TI;
        if (!canonical(s.segBase[TR])) return BASE_CANONICAL;
        int ldtr = s.segAr[LDTR];
        if ((ldtr & AR_UNUSABLE) == 0) {
            if ((ldtr & (AR_TYPE | AR_S | AR_P | AR_RESERVED)) != (2 | AR_P)) return LDTR_RIGHTS;
            if (!granularity(ldtr, s.segLimit[LDTR])) return SEGMENT_G;
            if ((s.segSel[LDTR] & 4) != 0) return SELECTOR_TI;
            if (!canonical(s.segBase[LDTR])) return BASE_CANONICAL;
        }
        if (((s.gdtLimit | s.idtLimit) & 0xffff0000) != 0) return TABLE_LIMIT;
        return canonical(s.gdtBase) && canonical(s.idtBase) ? null : TABLE_CANONICAL;
    }

    private static String ripAndRflags(CpuState s) {
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

    private static String nonRegisterState(CpuState s) {
        int blocking = s.blocking;
        int stiMovSs = blocking & (BLOCKING_STI | BLOCKING_MOV_SS);
        if (s.activity != ACTIVE) {
            if ((s.activity & ~3) != 0) return ACTIVITY;
            if (s.activity == HLT && dpl(s.segAr[SS]) != 0) return HLT_DPL;
            if (stiMovSs != 0) return ACTIVE_BLOCKING;
            if (s.injectInfo < 0 && !wakes(s.activity, s.injectInfo)) return ACTIVITY_INJECTION;
        }
        if ((blocking & ~15) != 0) return BLOCKING_RESERVED;
        if (stiMovSs == (BLOCKING_STI | BLOCKING_MOV_SS)) return BLOCKING_BOTH;
        if ((blocking & BLOCKING_STI) != 0 && (s.rflagsOther & IF) == 0) return BLOCKING_STI_IF;
        if (stiMovSs != 0 && injecting(s, TYPE_EXTERNAL)) return BLOCKING_EXTERNAL;
        if ((blocking & (BLOCKING_MOV_SS | BLOCKING_NMI)) != 0 && injecting(s, TYPE_NMI)) return BLOCKING_NMI_INJECTION;
        // B0 to B3, enabled breakpoint (12), BS (14).
        if ((s.pendingDebug & ~0x500fL) != 0) return PENDING_RESERVED;
        return null;
    }

    private static String pdptes(long[] pdpte) {
        for (long e : pdpte) if ((e & 1) != 0 && (e & 0xfff0_0000_0000_01e6L) != 0) return PDPTE;
        return null;
    }

    private static boolean injecting(CpuState s, int type) {
        return (s.injectInfo & (INFO_VALID | INFO_TYPE)) == (INFO_VALID | type);
    }

    /** HLT takes external interrupts, NMIs, #DB and #MC; shutdown NMIs and #MC; wait-for-SIPI nothing. */
    private static boolean wakes(int activity, int info) {
        int type = info & INFO_TYPE;
        boolean nmiOrMc = type == TYPE_NMI || type == TYPE_HARDWARE_EXCEPTION && (info & 0xff) == 18;
        if (activity == SHUTDOWN) return nmiOrMc;
        return activity == HLT
                && (nmiOrMc || type == TYPE_EXTERNAL || type == TYPE_HARDWARE_EXCEPTION && (info & 0xff) == 1);
    }

    /** A limit that is no multiple of 4 KiB less 1 needs G=0, one above 1 MiB needs G=1. */
    private static boolean granularity(int ar, long limit) {
        return (ar & AR_G) == 0 ? limit >>> 20 == 0 : (limit & 0xfff) == 0xfff;
    }

    private static int dpl(int ar) {
        return ar >> 5 & 3;
    }

    private static boolean canonical(long address) {
        return address << 16 >> 16 == address;
    }
}
