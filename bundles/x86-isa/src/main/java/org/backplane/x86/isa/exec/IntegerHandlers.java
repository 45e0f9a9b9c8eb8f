package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Mnemonic;

/** Data movement, arithmetic, logic, shifts and bits. Order in each: read everything, compute, write memory, then registers. */
final class IntegerHandlers {
    private IntegerHandlers() {}

    // ---- two operands ----

    static void add(Cpu c, Insn i) {
        long a = c.getForUpdate(i), b = c.get(i, 1);
        store(c, i, a + b);
        Arithmetic.add(c.s, i.size0, a, b);
    }

    static void adc(Cpu c, Insn i) {
        long a = c.getForUpdate(i), b = c.get(i, 1);
        store(c, i, a + b + (c.s.flagAux >>> 31));
        Arithmetic.adc(c.s, i.size0, a, b);
    }

    static void sub(Cpu c, Insn i) {
        long a = c.getForUpdate(i), b = c.get(i, 1);
        store(c, i, a - b);
        Arithmetic.sub(c.s, i.size0, a, b);
    }

    static void sbb(Cpu c, Insn i) {
        long a = c.getForUpdate(i), b = c.get(i, 1);
        store(c, i, a - b - (c.s.flagAux >>> 31));
        Arithmetic.sbb(c.s, i.size0, a, b);
    }

    static void and(Cpu c, Insn i) {
        long r = c.getForUpdate(i) & c.get(i, 1);
        store(c, i, r);
        Arithmetic.logic(c.s, i.size0, r);
    }

    static void or(Cpu c, Insn i) {
        long r = c.getForUpdate(i) | c.get(i, 1);
        store(c, i, r);
        Arithmetic.logic(c.s, i.size0, r);
    }

    static void xor(Cpu c, Insn i) {
        long r = c.getForUpdate(i) ^ c.get(i, 1);
        store(c, i, r);
        Arithmetic.logic(c.s, i.size0, r);
    }

    static void cmp(Cpu c, Insn i) {
        long a = c.get(i, 0);
        Arithmetic.sub(c.s, i.size0, a, c.get(i, 1));
    }

    static void test(Cpu c, Insn i) {
        long a = c.get(i, 0);
        Arithmetic.logic(c.s, i.size0, a & c.get(i, 1));
    }

    /** The store of a read-modify-write: it may fault, so it comes before the flags. */
    private static void store(Cpu c, Insn i, long value) {
        c.put(i, 0, value & Cpu.sizeMask(i.size0));
    }

    // ---- one operand ----

    static void inc(Cpu c, Insn i) {
        long a = c.getForUpdate(i);
        store(c, i, a + 1);
        Arithmetic.inc(c.s, i.size0, a);
    }

    static void dec(Cpu c, Insn i) {
        long a = c.getForUpdate(i);
        store(c, i, a - 1);
        Arithmetic.dec(c.s, i.size0, a);
    }

    static void not(Cpu c, Insn i) {
        store(c, i, ~c.getForUpdate(i));
    }

    static void neg(Cpu c, Insn i) {
        long a = c.getForUpdate(i);
        store(c, i, -a);
        Arithmetic.sub(c.s, i.size0, 0, a);
    }

    // ---- moves ----

    static void mov(Cpu c, Insn i) {
        if (i.kind0 == Insn.SEG) {
            Segments.load(c, i.number0, (int) c.get(i, 1));
            if (i.number0 == CpuState.SS) c.s.blocking |= CpuState.BLOCKING_MOV_SS;
        } else if (i.kind0 == Insn.CR || i.kind1 == Insn.CR) {
            SystemHandlers.movControl(c, i);
        } else if (i.kind0 == Insn.DR || i.kind1 == Insn.DR) {
            SystemHandlers.movDebug(c, i);
        } else {
            c.put(i, 0, c.get(i, 1));
        }
    }

    static void movzx(Cpu c, Insn i) {
        c.put(i, 0, c.get(i, 1));
    }

    static void movsx(Cpu c, Insn i) {
        long x = c.get(i, 1);
        c.put(i, 0, i.size1 == 1 ? (byte) x : (short) x);
    }

    static void lea(Cpu c, Insn i) {
        c.put(i, 0, c.effective(i));
    }

    static void xchg(Cpu c, Insn i) {
        long a = c.getForUpdate(i), b = c.get(i, 1);
        c.put(i, 0, b);
        c.put(i, 1, a);
    }

    static void xadd(Cpu c, Insn i) {
        long a = c.getForUpdate(i), b = c.get(i, 1);
        if (i.kind0 == Insn.MEM) {
            store(c, i, a + b);
            c.put(i, 1, a);
        } else { // for one register twice the sum wins
            c.put(i, 1, a);
            store(c, i, a + b);
        }
        Arithmetic.add(c.s, i.size0, a, b);
    }

    static void cmpxchg(Cpu c, Insn i) {
        int size = i.size0;
        long accumulator = c.register(CpuState.RAX, size), found;
        if (i.kind0 == Insn.MEM) {
            found = c.compareExchange(c.address(i, size, true), size, accumulator, c.get(i, 1));
        } else {
            found = c.get(i, 0);
            if (found == accumulator) c.put(i, 0, c.get(i, 1));
        }
        Arithmetic.sub(c.s, size, accumulator, found);
        if (found != accumulator) c.setRegister(CpuState.RAX, size, found);
    }

    static void cmpxchg8b(Cpu c, Insn i) {
        long[] g = c.gpr;
        long expected = g[CpuState.RDX] << 32 | g[CpuState.RAX] & 0xffffffffL;
        long value = g[CpuState.RCX] << 32 | g[CpuState.RBX] & 0xffffffffL;
        long found = c.compareExchange(c.address(i, 8, true), 8, expected, value);
        int flags = (int) c.s.rflags() & CpuState.ARITHMETIC_FLAGS & ~CpuState.ZF;
        if (found == expected) {
            flags |= CpuState.ZF;
        } else {
            g[CpuState.RAX] = found & 0xffffffffL;
            g[CpuState.RDX] = found >>> 32;
        }
        c.s.setArithmeticFlags(flags);
    }

    static void bswap(Cpu c, Insn i) {
        long x = c.gpr[i.number0];
        switch (i.size0) {
            case 8 -> c.gpr[i.number0] = Long.reverseBytes(x);
            case 4 -> c.gpr[i.number0] = Integer.reverseBytes((int) x) & 0xffffffffL;
            default -> c.setRegister(i.number0, 2, 0); // undefined by the SDM; processors give zero
        }
    }

    static void cmov(Cpu c, Insn i) {
        long value = c.get(i, 1); // read, and may fault, whatever the condition is
        if (Arithmetic.condition(c.s, i.opcodeByte & 15)) c.put(i, 0, value);
        else if (i.size0 == 4) c.put(i, 0, c.get(i, 0));
    }

    static void setcc(Cpu c, Insn i) {
        c.put(i, 0, Arithmetic.condition(c.s, i.opcodeByte & 15) ? 1 : 0);
    }

    static void xlat(Cpu c, Insn i) {
        int segment = i.segmentPrefix >= 0 ? i.segmentPrefix : CpuState.DS;
        long off = Cpu.wrap(c.gpr[CpuState.RBX] + (c.gpr[CpuState.RAX] & 0xff), i.addressSize);
        c.setRegister(CpuState.RAX, 1, c.readSegment(segment, off, 1));
    }

    static void nop(Cpu c, Insn i) {}

    /** CBW, CWDE, CDQE. */
    static void cbw(Cpu c, Insn i) {
        long a = c.gpr[CpuState.RAX];
        long x = i.operandSize == 2 ? (byte) a : i.operandSize == 4 ? (short) a : (int) a;
        c.setRegister(CpuState.RAX, i.operandSize, x);
    }

    /** CWD, CDQ, CQO. */
    static void cwd(Cpu c, Insn i) {
        int size = i.operandSize;
        boolean negative = (c.gpr[CpuState.RAX] >>> 8 * size - 1 & 1) != 0;
        c.setRegister(CpuState.RDX, size, negative ? -1 : 0);
    }

    // ---- shifts ----

    private static int count(Cpu c, Insn i) {
        return (int) c.get(i, i.kind2 == Insn.NONE ? 1 : 2) & (i.size0 == 8 ? 63 : 31);
    }

    static void shift(Cpu c, Insn i) {
        CpuState s = c.s;
        int n = count(c, i), size = i.size0;
        long a = c.getForUpdate(i);
        long res = s.flagRes;
        int aux = s.flagAux;
        long r =
                switch (i.mnemonic()) {
                    case ROL -> Arithmetic.rol(s, size, a, n);
                    case ROR -> Arithmetic.ror(s, size, a, n);
                    case RCL -> Arithmetic.rcl(s, size, a, n);
                    case RCR -> Arithmetic.rcr(s, size, a, n);
                    case SHR -> Arithmetic.shr(s, size, a, n);
                    case SAR -> Arithmetic.sar(s, size, a, n);
                    case SHLD -> Arithmetic.shld(s, size, a, c.get(i, 1), n);
                    case SHRD -> Arithmetic.shrd(s, size, a, c.get(i, 1), n);
                    default -> Arithmetic.shl(s, size, a, n);
                };
        commit(c, i, r, res, aux);
    }

    /** Stores a result whose flags are already set; takes the flags back if the store unwinds. */
    private static void commit(Cpu c, Insn i, long r, long res, int aux) {
        boolean stored = false;
        try {
            c.put(i, 0, r);
            stored = true;
        } finally {
            if (!stored) {
                c.s.flagRes = res;
                c.s.flagAux = aux;
            }
        }
    }

    // ---- bits ----

    static void bitTest(Cpu c, Insn i) {
        int size = i.size0, bits = 8 * size;
        long number = c.get(i, 1);
        boolean writes = i.mnemonic() != Mnemonic.BT;
        long old;
        long gva = 0;
        if (i.kind0 == Insn.MEM) {
            long off = c.effective(i);
            if (i.kind1 != Insn.IMM) { // a bit string: the number is signed and reaches beyond the operand
                long n = number << 64 - bits >> 64 - bits;
                off = Cpu.wrap(off + (n >> (size == 2 ? 4 : size == 4 ? 5 : 6)) * size, i.addressSize);
            }
            gva = c.linear(i.segment, off, size, writes);
            old = writes ? c.modify(gva, size) : c.read(gva, size);
        } else {
            old = c.get(i, 0);
        }
        long bit = 1L << (number & bits - 1);
        long r =
                switch (i.mnemonic()) {
                    case BTS -> old | bit;
                    case BTR -> old & ~bit;
                    case BTC -> old ^ bit;
                    default -> old;
                };
        if (writes) {
            if (i.kind0 == Insn.MEM) c.write(gva, size, r);
            else c.put(i, 0, r);
        }
        Arithmetic.carry(c.s, (old & bit) != 0);
    }

    static void bsf(Cpu c, Insn i) {
        long x = c.get(i, 1);
        scanned(c, i, x, Long.numberOfTrailingZeros(x));
    }

    static void bsr(Cpu c, Insn i) {
        long x = c.get(i, 1);
        scanned(c, i, x, 63 - Long.numberOfLeadingZeros(x));
    }

    /** Of zero only ZF is defined; processors leave the destination alone. */
    private static void scanned(Cpu c, Insn i, long x, int bit) {
        Arithmetic.logic(c.s, i.size0, x);
        if (x != 0) c.put(i, 0, bit);
    }

    // ---- multiplication and division ----

    static void mul(Cpu c, Insn i) {
        int size = i.size0;
        long a = c.register(CpuState.RAX, size), b = c.get(i, 0);
        if (size == 8) {
            long high = Math.unsignedMultiplyHigh(a, b);
            product(c, size, a * b, high);
            Arithmetic.multiplied(c.s, size, a * b, high != 0);
        } else {
            long p = a * b;
            long high = p >>> 8 * size;
            product(c, size, p, high);
            Arithmetic.multiplied(c.s, size, p, high != 0);
        }
    }

    static void imul(Cpu c, Insn i) {
        int size = i.size0;
        if (i.kind1 != Insn.NONE) {
            boolean three = i.kind2 != Insn.NONE;
            long b = three ? i.immediate : c.get(i, 0);
            c.put(i, 0, Arithmetic.imul(c.s, size, c.get(i, 1), b));
            return;
        }
        int shift = 64 - 8 * size;
        long a = c.gpr[CpuState.RAX] << shift >> shift, b = c.get(i, 0) << shift >> shift;
        long low = a * b;
        long high = size == 8 ? Math.multiplyHigh(a, b) : low >> 8 * size;
        product(c, size, low, high);
        boolean overflow = size == 8 ? high != low >> 63 : low != low << shift >> shift;
        Arithmetic.multiplied(c.s, size, low, overflow);
    }

    private static void product(Cpu c, int size, long low, long high) {
        if (size == 1) {
            c.setRegister(CpuState.RAX, 2, low);
        } else {
            c.setRegister(CpuState.RAX, size, low);
            c.setRegister(CpuState.RDX, size, high);
        }
    }

    static void div(Cpu c, Insn i) {
        int size = i.size0;
        long d = c.get(i, 0);
        if (d == 0) throw c.fault(Cpu.DE, Cpu.NO_ERROR);
        if (size == 8) {
            WideDivision.unsigned(c, d);
            return;
        }
        long n = dividend(c, size);
        long q = Long.divideUnsigned(n, d);
        if (Long.compareUnsigned(q, Cpu.sizeMask(size)) > 0) throw c.fault(Cpu.DE, Cpu.NO_ERROR);
        quotient(c, size, q, Long.remainderUnsigned(n, d));
    }

    static void idiv(Cpu c, Insn i) {
        int size = i.size0;
        int shift = 64 - 8 * size;
        long d = c.get(i, 0) << shift >> shift;
        if (d == 0) throw c.fault(Cpu.DE, Cpu.NO_ERROR);
        if (size == 8) {
            WideDivision.signed(c, d);
            return;
        }
        long n = dividend(c, size);
        if (size != 4) n = n << 64 - 16 * size >> 64 - 16 * size;
        if (n == Long.MIN_VALUE && d == -1) throw c.fault(Cpu.DE, Cpu.NO_ERROR);
        long q = n / d;
        if (q != q << shift >> shift) throw c.fault(Cpu.DE, Cpu.NO_ERROR);
        quotient(c, size, q, n % d);
    }

    private static long dividend(Cpu c, int size) {
        if (size == 1) return c.gpr[CpuState.RAX] & 0xffff;
        return c.register(CpuState.RDX, size) << 8 * size | c.register(CpuState.RAX, size);
    }

    private static void quotient(Cpu c, int size, long q, long r) {
        if (size == 1) {
            c.setRegister(CpuState.RAX, 2, q & 0xff | (r & 0xff) << 8);
        } else {
            c.setRegister(CpuState.RAX, size, q);
            c.setRegister(CpuState.RDX, size, r);
        }
    }
}
