package org.backplane.x86.isa.exec;

import java.math.BigInteger;
import org.backplane.kvm.spi.cpu.CpuState;

/** DIV and IDIV of RDX:RAX by a 64-bit operand. */
final class WideDivision {
    private static final BigInteger TWO_64 = BigInteger.ONE.shiftLeft(64);

    private WideDivision() {}

    static void unsigned(Cpu c, long d) {
        BigInteger n = natural(c.gpr[CpuState.RDX]).shiftLeft(64).or(natural(c.gpr[CpuState.RAX]));
        BigInteger[] q = n.divideAndRemainder(natural(d));
        if (q[0].bitLength() > 64) throw c.fault(Cpu.DE, Cpu.NO_ERROR);
        store(c, q);
    }

    static void signed(Cpu c, long d) {
        BigInteger n = BigInteger.valueOf(c.gpr[CpuState.RDX]).shiftLeft(64).or(natural(c.gpr[CpuState.RAX]));
        BigInteger[] q = n.divideAndRemainder(BigInteger.valueOf(d));
        if (q[0].bitLength() > 63) throw c.fault(Cpu.DE, Cpu.NO_ERROR);
        store(c, q);
    }

    private static void store(Cpu c, BigInteger[] q) {
        c.gpr[CpuState.RAX] = q[0].longValue();
        c.gpr[CpuState.RDX] = q[1].longValue();
    }

    private static BigInteger natural(long x) {
        BigInteger b = BigInteger.valueOf(x);
        return x < 0 ? b.add(TWO_64) : b;
    }
}
