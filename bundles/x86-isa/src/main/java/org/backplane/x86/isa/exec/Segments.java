package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;

/**
 * Descriptors and the loading of segment registers (SDM 3A 3.4, 5.3 to 5.6).
 *
 * <p>A descriptor is handled as the 64 bits it has in memory; access rights are in the VMX format of {@link CpuState}.
 */
final class Segments {
    /** System descriptor types (SDM 3A table 3-2). */
    static final int TSS16 = 1, LDT = 2, TSS16_BUSY = 3, CALL16 = 4, TASK_GATE = 5, TSS32 = 9, TSS32_BUSY = 11, CALL32 = 12;

    /** Type bits of a code segment: readable, conforming, code. */
    static final int READABLE = 2, CONFORMING = 4, CODE = 8;

    private Segments() {}

    static long base(long d) {
        return d >>> 16 & 0xffffff | d >>> 56 << 24;
    }

    static long limit(long d) {
        long l = d & 0xffff | d >>> 32 & 0xf0000;
        return (d >>> 55 & 1) != 0 ? l << 12 | 0xfff : l;
    }

    static int rights(long d) {
        return (int) (d >>> 40) & 0xf0ff;
    }

    static int dpl(int ar) {
        return ar >> 5 & 3;
    }

    static boolean isCode(int ar) {
        return (ar & (CpuState.AR_S | CODE)) == (CpuState.AR_S | CODE);
    }

    static boolean conforming(int ar) {
        return (ar & CONFORMING) != 0;
    }

    static boolean isWritableData(int ar) {
        return (ar & (CpuState.AR_S | CODE | 2)) == (CpuState.AR_S | 2);
    }

    static boolean present(int ar) {
        return (ar & CpuState.AR_P) != 0;
    }

    static boolean isNull(int selector) {
        return (selector & 0xfffc) == 0;
    }

    /** Whether the tables have an entry for a selector. */
    static boolean inTable(CpuState s, int selector) {
        if ((selector & 4) == 0) return (selector | 7) <= s.gdtLimit;
        return (s.segAr[CpuState.LDTR] & CpuState.AR_UNUSABLE) == 0
                && (s.segAr[CpuState.LDTR] & CpuState.AR_P) != 0
                && (selector | 7) <= s.segLimit[CpuState.LDTR];
    }

    static long address(CpuState s, int selector) {
        return ((selector & 4) == 0 ? s.gdtBase : s.segBase[CpuState.LDTR]) + (selector & 0xfff8);
    }

    /** Reads the descriptor; beyond the table's limit raises {@code vector} with the selector. */
    static long descriptor(Cpu c, int selector, int vector) {
        if (!inTable(c.s, selector)) throw c.selectorFault(vector, selector);
        return c.readSystem(address(c.s, selector), 8);
    }

    /** Sets the accessed bit of a code or data descriptor that lacks it, in memory. */
    static long accessed(Cpu c, int selector, long d) {
        if ((d >>> 40 & 1) != 0) return d;
        c.writeSystem(address(c.s, selector) + 5, 1, d >>> 40 & 0xff | 1);
        return d | 1L << 40;
    }

    /** Fills a segment register from a descriptor. */
    static void set(CpuState s, int seg, int selector, long d) {
        s.segSel[seg] = selector;
        s.segBase[seg] = base(d);
        s.segLimit[seg] = limit(d);
        s.segAr[seg] = rights(d);
    }

    static void setNull(CpuState s, int seg, int selector) {
        s.segSel[seg] = selector;
        s.segBase[seg] = 0;
        s.segLimit[seg] = 0;
        s.segAr[seg] = CpuState.AR_UNUSABLE;
    }

    /** A load in real-address or virtual-8086 mode. In real mode the limit stays as it was ("unreal mode" lives on that). */
    static void setReal(CpuState s, int seg, int selector) {
        s.segSel[seg] = selector;
        s.segBase[seg] = (long) selector << 4;
        if (s.vm86()) {
            s.segLimit[seg] = 0xffff;
            s.segAr[seg] = 0xf3;
        } else {
            if ((s.segAr[seg] & CpuState.AR_UNUSABLE) != 0) s.segLimit[seg] = 0xffff;
            int type = seg == CpuState.CS ? 0x9b : 0x93;
            s.segAr[seg] = s.segAr[seg] & (CpuState.AR_DB | CpuState.AR_G) | type;
        }
    }

    /** MOV, POP, LDS and others: loads ES, SS, DS, FS or GS (SDM 2B: MOV). */
    static void load(Cpu c, int seg, int selector) {
        CpuState s = c.s;
        if (s.realOrVm86()) {
            setReal(s, seg, selector);
        } else if (seg == CpuState.SS) {
            long d = stackDescriptor(c, selector, s.cpl, Cpu.GP);
            set(s, seg, selector, accessed(c, selector, d));
        } else if (isNull(selector)) {
            setNull(s, seg, selector);
        } else {
            long d = descriptor(c, selector, Cpu.GP);
            int ar = rights(d);
            boolean code = (ar & CODE) != 0;
            if ((ar & CpuState.AR_S) == 0 || code && (ar & READABLE) == 0) throw c.selectorFault(Cpu.GP, selector);
            if (!(code && conforming(ar)) && ((selector & 3) > dpl(ar) || s.cpl > dpl(ar))) {
                throw c.selectorFault(Cpu.GP, selector);
            }
            if (!present(ar)) throw c.selectorFault(Cpu.NP, selector);
            set(s, seg, selector, accessed(c, selector, d));
        }
        c.updateMode();
    }

    /**
     * Reads and checks the descriptor for a stack segment at a privilege level.
     *
     * @param vector #GP for loads and returns, #TS for inner stacks from the TSS
     */
    static long stackDescriptor(Cpu c, int selector, int cpl, int vector) {
        if (isNull(selector)) throw c.fault(vector, vector == Cpu.TS ? selector & 0xfffc | c.ext : c.ext);
        long d = descriptor(c, selector, vector);
        int ar = rights(d);
        if ((selector & 3) != cpl || dpl(ar) != cpl || !isWritableData(ar)) throw c.selectorFault(vector, selector);
        if (!present(ar)) throw c.selectorFault(Cpu.SS, selector);
        return d;
    }

    /** LDS, LES, LSS, LFS, LGS. */
    static void loadPointer(Cpu c, Insn i) {
        int size = i.operandSize;
        long off = c.effective(i);
        long value = c.readSegment(i.segment, off, size);
        int selector = (int) c.readSegment(i.segment, Cpu.wrap(off + size, i.addressSize), 2);
        int seg =
                switch (i.mnemonic()) {
                    case LES -> CpuState.ES;
                    case LDS -> CpuState.DS;
                    case LSS -> CpuState.SS;
                    case LFS -> CpuState.FS;
                    default -> CpuState.GS;
                };
        load(c, seg, selector);
        c.put(i, 0, value);
    }

    /** After a return to an outer level: data segments that it may not use become null (SDM 2B: RET). */
    static void dropInner(CpuState s) {
        for (int seg = CpuState.ES; seg <= CpuState.GS; seg++) {
            if (seg == CpuState.CS || seg == CpuState.SS) continue;
            int ar = s.segAr[seg];
            boolean conformingCode = isCode(ar) && conforming(ar);
            if ((ar & CpuState.AR_UNUSABLE) == 0 && !conformingCode && dpl(ar) < s.cpl) setNull(s, seg, 0);
        }
    }

    // ---- LAR, LSL, VERR, VERW ----

    /** The descriptor if it is visible from CPL and RPL and of a fitting kind, else 0. */
    private static long visible(Cpu c, int selector, int systemTypes) {
        if (isNull(selector) || !inTable(c.s, selector)) return 0;
        long d = c.readSystem(address(c.s, selector), 8);
        int ar = rights(d);
        if ((ar & CpuState.AR_S) == 0 && (systemTypes >> (ar & 15) & 1) == 0) return 0;
        if (isCode(ar) && conforming(ar)) return d;
        return dpl(ar) >= c.s.cpl && dpl(ar) >= (selector & 3) ? d : 0;
    }

    private static void zeroFlag(CpuState s, boolean set) {
        int f = (int) s.rflags() & CpuState.ARITHMETIC_FLAGS & ~CpuState.ZF;
        s.setArithmeticFlags(set ? f | CpuState.ZF : f);
    }

    static void lar(Cpu c, Insn i) {
        int types = 1 << TSS16 | 1 << LDT | 1 << TSS16_BUSY | 1 << CALL16 | 1 << TASK_GATE | 1 << TSS32 | 1 << TSS32_BUSY
                | 1 << CALL32;
        protectedOnly(c);
        long d = visible(c, (int) c.get(i, 1), types);
        if (d != 0) c.put(i, 0, d >>> 32 & 0x00ffff00);
        zeroFlag(c.s, d != 0);
    }

    static void lsl(Cpu c, Insn i) {
        protectedOnly(c);
        long d = visible(c, (int) c.get(i, 1), 1 << TSS16 | 1 << LDT | 1 << TSS16_BUSY | 1 << TSS32 | 1 << TSS32_BUSY);
        if (d != 0) c.put(i, 0, limit(d));
        zeroFlag(c.s, d != 0);
    }

    static void verr(Cpu c, Insn i) {
        protectedOnly(c);
        long d = visible(c, (int) c.get(i, 0), 0);
        int ar = rights(d);
        zeroFlag(c.s, d != 0 && (!isCode(ar) || (ar & READABLE) != 0));
    }

    static void verw(Cpu c, Insn i) {
        protectedOnly(c);
        long d = visible(c, (int) c.get(i, 0), 0);
        zeroFlag(c.s, d != 0 && isWritableData(rights(d)));
    }

    static void arpl(Cpu c, Insn i) {
        protectedOnly(c);
        int to = (int) c.getForUpdate(i), from = (int) c.get(i, 1);
        boolean raise = (to & 3) < (from & 3);
        if (raise) c.put(i, 0, to & ~3 | from & 3);
        zeroFlag(c.s, raise);
    }

    static void protectedOnly(Cpu c) {
        if (c.s.realOrVm86()) throw c.undefined();
    }
}
