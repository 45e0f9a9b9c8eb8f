package org.backplane.vmx;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.backplane.vmx.EntryRule.*;

import org.backplane.kvm.spi.cpu.CpuState;

/** The checks on the guest's segments and descriptor tables at VM entry (SDM 3C 26.3.1.2, 26.3.1.3). A method answers the rule that is broken, or null. */
final class SegmentChecks {
    /** Bits 31:17 and 11:8 of access rights. */
    private static final int AR_RESERVED = 0xfffe0f00;

    private SegmentChecks() {}

    /** The six segments in virtual-8086 mode. */
    static EntryRule virtual8086(CpuState s) {
        for (int seg = ES; seg <= GS; seg++) {
            if (s.segBase[seg] != (long) s.segSel[seg] << 4) return VM86_BASE;
            if (s.segLimit[seg] != 0xffff) return VM86_LIMIT;
            if (s.segAr[seg] != 0xf3) return VM86_RIGHTS;
        }
        return null;
    }

    /** CS, SS, DS, ES, FS and GS outside of virtual-8086 mode, as an unrestricted guest may have them. */
    static EntryRule segments(CpuState s) {
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
            if (seg >= FS && !EntryChecks.canonical(s.segBase[seg])) return BASE_CANONICAL;
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

    /** TR and LDTR. */
    static EntryRule system(CpuState s) {
        int tr = s.segAr[TR];
        int type = tr & AR_TYPE;
        if (type != 11 && (type != 3 || s.longModeActive())) return TR_TYPE;
        if ((tr & (AR_S | AR_P | AR_UNUSABLE | AR_RESERVED)) != AR_P) return TR_RIGHTS;
        if (!granularity(tr, s.segLimit[TR])) return SEGMENT_G;
        if ((s.segSel[TR] & 4) != 0) return SELECTOR_TI;
        if (!EntryChecks.canonical(s.segBase[TR])) return BASE_CANONICAL;
        int ldtr = s.segAr[LDTR];
        if ((ldtr & AR_UNUSABLE) == 0) {
            if ((ldtr & (AR_TYPE | AR_S | AR_P | AR_RESERVED)) != (2 | AR_P)) return LDTR_RIGHTS;
            if (!granularity(ldtr, s.segLimit[LDTR])) return SEGMENT_G;
            if ((s.segSel[LDTR] & 4) != 0) return SELECTOR_TI;
            if (!EntryChecks.canonical(s.segBase[LDTR])) return BASE_CANONICAL;
        }
        return null;
    }

    /** SDM 3C 26.3.1.3. */
    static EntryRule tables(CpuState s) {
        if (((s.gdtLimit | s.idtLimit) & 0xffff0000) != 0) return TABLE_LIMIT;
        return EntryChecks.canonical(s.gdtBase) && EntryChecks.canonical(s.idtBase) ? null : TABLE_CANONICAL;
    }

    /** The rules that unrestricted guest takes away; {@code s} is not in virtual-8086 mode. */
    static EntryRule restricted(CpuState s) {
        if (((s.segSel[SS] ^ s.segSel[CS]) & 3) != 0) return SELECTOR_RPL;
        if ((s.segAr[CS] & AR_TYPE) == 3) return CS_TYPE;
        if (dpl(s.segAr[SS]) != (s.segSel[SS] & 3)) return SS_DPL_RPL;
        return dataDpl(s, DS) && dataDpl(s, ES) && dataDpl(s, FS) && dataDpl(s, GS) ? null : DATA_DPL;
    }

    private static boolean dataDpl(CpuState s, int seg) {
        int ar = s.segAr[seg];
        // Conforming code (types 12 to 15) has no such rule.
        return (ar & AR_UNUSABLE) != 0 || (ar & AR_TYPE) >= 12 || dpl(ar) >= (s.segSel[seg] & 3);
    }

    /** A limit that is no multiple of 4 KiB less 1 needs G=0, one above 1 MiB needs G=1. */
    private static boolean granularity(int ar, long limit) {
        return (ar & AR_G) == 0 ? limit >>> 20 == 0 : (limit & 0xfff) == 0xfff;
    }

    static int dpl(int ar) {
        return ar >> 5 & 3;
    }
}
