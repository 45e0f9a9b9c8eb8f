package org.backplane.x86.isa.oracle;

import java.util.random.RandomGenerator;
import org.backplane.kvm.spi.cpu.CpuState;

/** Moves most operands of a transcendental instruction into the range in which the SDM defines it. */
final class TranscendentalOperands {
    private TranscendentalOperands() {}

    static void adjust(String mnemonic, CpuState s, RandomGenerator random) {
        int a = s.fpTop;
        switch (mnemonic) {
            case "f2xm1" -> {
                // -1 to 1
                if (normal(s, a)) exponent(s, a, 0x3fff - 1 - random.nextInt(80));
                if ((s.fpSignExp[a] & 0x7fff) >= 0x3fff && (s.fpSignExp[a] & 0x7fff) < 0x7fff) exponent(s, a, 0x3ffe);
            }
            case "fyl2xp1" -> {
                // Magnitude below 1 - sqrt(1/2) = 0.2929
                if ((s.fpSignExp[a] & 0x7fff) >= 0x3ffd && (s.fpSignExp[a] & 0x7fff) < 0x7fff) {
                    exponent(s, a, 0x3ffc - random.nextInt(70));
                }
            }
            case "fyl2x" -> {
                if (random.nextInt(4) != 0) s.fpSignExp[a] &= 0x7fff;
                if (random.nextInt(3) == 0 && normal(s, a)) exponent(s, a, 0x3ffe + random.nextInt(2));
            }
            default -> {}
        }
    }

    private static boolean normal(CpuState s, int reg) {
        int e = s.fpSignExp[reg] & 0x7fff;
        return e > 0x3fff - 100 && e < 0x3fff + 100;
    }

    private static void exponent(CpuState s, int reg, int exp) {
        s.fpSignExp[reg] = s.fpSignExp[reg] & 0x8000 | exp;
    }
}
