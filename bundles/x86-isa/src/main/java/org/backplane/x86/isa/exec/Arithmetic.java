package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;

/**
 * Integer arithmetic with flags, for operands of 1, 2, 4 or 8 bytes. Operands come zero-extended or with any upper bits; results are
 * zero-extended. Flags are stored in the lazy form of {@link CpuState}; what the SDM leaves undefined is as current
 * processors do it where that is known, otherwise zero.
 */
public final class Arithmetic {
    private Arithmetic() {}

    private static long signed(long x, int size) {
        int shift = 64 - 8 * size;
        return x << shift >> shift;
    }

    /** The two top bits of a carry vector and bit 3, as {@code flagAux} wants them. */
    private static int aux(long carries, int size) {
        return (int) (carries << 64 - 8 * size >>> 32) & (CpuState.AUX_CARRY | CpuState.AUX_CARRY_IN)
                | (int) carries & CpuState.AUX_AF;
    }

    private static long mask(int size) {
        return Cpu.sizeMask(size);
    }

    public static long add(CpuState s, int size, long a, long b) {
        return sum(s, size, a, b, a + b);
    }

    public static long adc(CpuState s, int size, long a, long b) {
        return sum(s, size, a, b, a + b + (s.flagAux >>> 31));
    }

    private static long sum(CpuState s, int size, long a, long b, long r) {
        s.flagRes = signed(r, size);
        s.flagAux = aux(a & b | (a | b) & ~r, size);
        return r & mask(size);
    }

    public static long sub(CpuState s, int size, long a, long b) {
        return difference(s, size, a, b, a - b);
    }

    public static long sbb(CpuState s, int size, long a, long b) {
        return difference(s, size, a, b, a - b - (s.flagAux >>> 31));
    }

    private static long difference(CpuState s, int size, long a, long b, long r) {
        s.flagRes = signed(r, size);
        s.flagAux = aux(~a & b | (~a | b) & r, size);
        return r & mask(size);
    }

    /** Sets the flags of a logic operation with this result. */
    public static long logic(CpuState s, int size, long r) {
        s.flagRes = signed(r, size);
        s.flagAux = 0;
        return r & mask(size);
    }

    public static long inc(CpuState s, int size, long a) {
        int carry = s.flagAux & CpuState.AUX_CARRY;
        long r = add(s, size, a, 1);
        keepCarry(s, carry);
        return r;
    }

    public static long dec(CpuState s, int size, long a) {
        int carry = s.flagAux & CpuState.AUX_CARRY;
        long r = sub(s, size, a, 1);
        keepCarry(s, carry);
        return r;
    }

    /** Puts an older carry back without touching OF. */
    private static void keepCarry(CpuState s, int carry) {
        int change = (s.flagAux ^ carry) & CpuState.AUX_CARRY;
        s.flagAux ^= change | change >>> 1;
    }

    /** Sets CF and OF and leaves the other flags. */
    public static void carryAndOverflow(CpuState s, boolean cf, boolean of) {
        int aux = s.flagAux & ~(CpuState.AUX_CARRY | CpuState.AUX_CARRY_IN);
        if (cf) aux |= CpuState.AUX_CARRY;
        if (cf != of) aux |= CpuState.AUX_CARRY_IN;
        s.flagAux = aux;
    }

    /** Sets CF and leaves the other flags, OF too. */
    public static void carry(CpuState s, boolean cf) {
        keepCarry(s, cf ? CpuState.AUX_CARRY : 0);
    }

    // ---- shifts and rotates: the count is masked to 5 bits (6 for 64-bit operands); 0 changes nothing ----

    public static long shl(CpuState s, int size, long a, int count) {
        int n = count & (size == 8 ? 63 : 31);
        if (n == 0) return a & mask(size);
        int bits = 8 * size;
        boolean cf = n <= bits && (a >>> bits - n & 1) != 0;
        long r = n >= bits ? 0 : a << n & mask(size);
        return shifted(s, size, r, cf, cf != (r >>> bits - 1 != 0));
    }

    public static long shr(CpuState s, int size, long a, int count) {
        int n = count & (size == 8 ? 63 : 31);
        a &= mask(size);
        if (n == 0) return a;
        boolean cf = (a >>> n - 1 & 1) != 0;
        long r = a >>> n;
        boolean of = n == 1 ? a >>> 8 * size - 1 != 0 : false;
        return shifted(s, size, r, cf, of);
    }

    public static long sar(CpuState s, int size, long a, int count) {
        int n = count & (size == 8 ? 63 : 31);
        if (n == 0) return a & mask(size);
        long x = signed(a, size);
        return shifted(s, size, x >> n & mask(size), (x >> n - 1 & 1) != 0, false);
    }

    private static long shifted(CpuState s, int size, long r, boolean cf, boolean of) {
        s.flagRes = signed(r, size);
        s.flagAux = (cf ? CpuState.AUX_CARRY : 0) | (cf != of ? CpuState.AUX_CARRY_IN : 0);
        return r;
    }

    public static long rol(CpuState s, int size, long a, int count) {
        int bits = 8 * size, n = count & (size == 8 ? 63 : 31);
        a &= mask(size);
        if (n == 0) return a;
        n &= bits - 1;
        long r = n == 0 ? a : (a << n | a >>> bits - n) & mask(size);
        boolean cf = (r & 1) != 0;
        carryAndOverflow(s, cf, cf != (r >>> bits - 1 != 0));
        return r;
    }

    public static long ror(CpuState s, int size, long a, int count) {
        int bits = 8 * size, n = count & (size == 8 ? 63 : 31);
        a &= mask(size);
        if (n == 0) return a;
        n &= bits - 1;
        long r = n == 0 ? a : (a >>> n | a << bits - n) & mask(size);
        boolean cf = r >>> bits - 1 != 0;
        carryAndOverflow(s, cf, cf != ((r >>> bits - 2 & 1) != 0));
        return r;
    }

    public static long rcl(CpuState s, int size, long a, int count) {
        int bits = 8 * size;
        int n = size >= 4 ? count & (bits - 1) : (count & 31) % (bits + 1);
        a &= mask(size);
        if (n == 0) return a;
        long c = s.flagAux >>> 31;
        long r = a << n & mask(size) | c << n - 1;
        if (n > 1) r |= a >>> bits + 1 - n;
        boolean cf = (a >>> bits - n & 1) != 0;
        carryAndOverflow(s, cf, cf != (r >>> bits - 1 != 0));
        return r;
    }

    public static long rcr(CpuState s, int size, long a, int count) {
        int bits = 8 * size;
        int n = size >= 4 ? count & (bits - 1) : (count & 31) % (bits + 1);
        a &= mask(size);
        if (n == 0) return a;
        long c = s.flagAux >>> 31;
        long r = a >>> n | c << bits - n;
        if (n > 1) r |= a << bits + 1 - n & mask(size);
        boolean cf = (a >>> n - 1 & 1) != 0;
        carryAndOverflow(s, cf, (r >>> bits - 1 != 0) != ((r >>> bits - 2 & 1) != 0));
        return r;
    }

    /** SHLD: bits come in from {@code b}. For 16-bit operands and counts above 16 the result is undefined by the SDM. */
    public static long shld(CpuState s, int size, long a, long b, int count) {
        int bits = 8 * size, n = count & (size == 8 ? 63 : 31);
        a &= mask(size);
        b &= mask(size);
        if (n == 0) return a;
        long r;
        boolean cf;
        if (n <= bits) {
            r = (a << n | (n == bits ? b : b >>> bits - n)) & mask(size);
            cf = (a >>> bits - n & 1) != 0;
        } else {
            int m = n - bits; // current processors rotate a copy of the destination in
            r = (b << m | a >>> bits - m) & mask(size);
            cf = (b >>> bits - m & 1) != 0;
        }
        return shifted(s, size, r, cf, ((a ^ r) >>> bits - 1 & 1) != 0);
    }

    /** SHRD. */
    public static long shrd(CpuState s, int size, long a, long b, int count) {
        int bits = 8 * size, n = count & (size == 8 ? 63 : 31);
        a &= mask(size);
        b &= mask(size);
        if (n == 0) return a;
        long r;
        boolean cf;
        if (n <= bits) {
            r = ((n == bits ? 0 : a >>> n) | (n == bits ? b : b << bits - n)) & mask(size);
            cf = (a >>> n - 1 & 1) != 0;
        } else {
            int m = n - bits;
            r = (b >>> m | a << bits - m) & mask(size);
            cf = (b >>> m - 1 & 1) != 0;
        }
        return shifted(s, size, r, cf, ((a ^ r) >>> bits - 1 & 1) != 0);
    }

    // ---- multiplication ----

    /** Sets the flags of a multiplication: CF = OF = the upper half matters; the others, undefined, from the low half. */
    public static void multiplied(CpuState s, int size, long low, boolean overflow) {
        s.flagRes = signed(low, size);
        s.flagAux = overflow ? CpuState.AUX_CARRY : 0;
    }

    /** IMUL with two or three operands; returns the truncated product. */
    public static long imul(CpuState s, int size, long a, long b) {
        long x = signed(a, size), y = signed(b, size);
        long low = x * y;
        boolean overflow = size == 8 ? Math.multiplyHigh(x, y) != low >> 63 : low != signed(low, size);
        multiplied(s, size, low, overflow);
        return low & mask(size);
    }

    /** Condition {@code cc} 0 to 15 as encoded in Jcc, SETcc and CMOVcc. */
    public static boolean condition(CpuState s, int cc) {
        boolean r =
                switch (cc >> 1) {
                    case 0 -> s.of();
                    case 1 -> s.cf();
                    case 2 -> s.zf();
                    case 3 -> s.cf() || s.zf();
                    case 4 -> s.sf();
                    case 5 -> s.pf();
                    case 6 -> s.sf() != s.of();
                    default -> s.zf() || s.sf() != s.of();
                };
        return r != ((cc & 1) != 0);
    }
}
