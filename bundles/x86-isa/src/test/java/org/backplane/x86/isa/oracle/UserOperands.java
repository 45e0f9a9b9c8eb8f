package org.backplane.x86.isa.oracle;

import java.util.random.RandomGenerator;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Mnemonic;
import org.backplane.x86.isa.Opcode;

/** Operands for the user-mode test of the opcode table: random, but such that the instruction cannot fault or leave the window. */
final class UserOperands {
    private static final int RAX = CpuState.RAX,
            RCX = CpuState.RCX,
            RDX = CpuState.RDX,
            RBX = CpuState.RBX,
            RSP = CpuState.RSP,
            RBP = CpuState.RBP,
            RSI = CpuState.RSI,
            RDI = CpuState.RDI;

    /** Linux's selectors of 32-bit user code and of user data. */
    private static final int CODE = 0x23, DATA = 0x2b;

    private static final int TARGET = UserModeContract.TARGET;

    private UserOperands() {}

    /** Sets up registers, flags and memory for one case. */
    static void prepare(
            UserForm form, UserCode code, RandomGenerator random, CpuState s, byte[] memory, int window, int codeAddress) {
        userMode(s);
        s.rip = codeAddress;
        s.setRflags(2 | CpuState.IF | random.nextInt() & CpuState.ARITHMETIC_FLAGS | (random.nextInt(4) == 0 ? CpuState.DF : 0));
        for (int r = 0; r < 8; r++) s.gpr[r] = UserModeContract.value(random);
        Mnemonic m = form.opcode().mnemonic;
        switch (m) {
            case PUSH, POP, PUSHA, POPA, PUSHF, POPF, CALL, RET -> s.gpr[RSP] = window + TARGET + 4 * random.nextInt(16);
            case ENTER, LEAVE -> {
                s.gpr[RSP] = window + TARGET + 4 * random.nextInt(16);
                s.gpr[RBP] = window + TARGET + 4 * random.nextInt(16);
            }
            case MOVS, STOS, LODS, CMPS, SCAS -> {
                s.gpr[RSI] = window + TARGET + random.nextInt(128);
                s.gpr[RDI] = window + TARGET + random.nextInt(128);
                s.gpr[RCX] = random.nextInt(17);
                if (random.nextBoolean()) similarMemory(memory, random);
            }
            case XLAT -> s.gpr[RBX] = window + TARGET;
            case LOOP, LOOPE, LOOPNE, JCXZ -> {
                if (random.nextBoolean()) s.gpr[RCX] = s.gpr[RCX] & 0xffff0000L | random.nextInt(3);
            }
            case SHLD, SHRD -> {
                if (form.width() == 2) s.gpr[RCX] = s.gpr[RCX] & 0xffffff00L | random.nextInt(17);
            }
            case BSF, BSR -> {
                if (random.nextInt(4) == 0) s.gpr[code.rm < 0 ? 0 : code.rm] = 0;
            }
            default -> {}
        }
        if (form.opcode().is(Opcode.BITS) && form.memory()) {
            int bit = random.nextInt(2048) - 1024;
            s.gpr[code.register] = form.operandSize() == 4 ? bit & 0xffffffffL : random.nextInt() & 0xffff0000L | bit & 0xffff;
        }
        if (random.nextInt(16) == 0) random.nextBytes(memory);
        if (form.memory() && m != Mnemonic.LEA) aim(code, random, s, window);
        memoryContents(form, code, random, s, memory, window, codeAddress);
    }

    /** 32-bit user mode with Linux's selectors and flat segments. */
    static void userMode(CpuState s) {
        s.cr0 = CpuState.CR0_PE | CpuState.CR0_NE | 0x10;
        s.cpl = 3;
        for (int seg = 0; seg < 6; seg++) {
            s.segSel[seg] = DATA;
            s.segBase[seg] = 0;
            s.segLimit[seg] = 0xffffffffL;
            s.segAr[seg] = CpuState.AR_P | CpuState.AR_S | CpuState.AR_DPL | CpuState.AR_DB | CpuState.AR_G | 3;
        }
        s.segSel[CpuState.CS] = CODE;
        s.segAr[CpuState.CS] |= 0xb;
        s.segSel[CpuState.FS] = s.segSel[CpuState.GS] = 0;
        s.segAr[CpuState.FS] = s.segAr[CpuState.GS] = CpuState.AR_UNUSABLE;
    }

    /** Bytes that are mostly equal, so that comparisons go on. */
    private static void similarMemory(byte[] memory, RandomGenerator random) {
        java.util.Arrays.fill(memory, (byte) random.nextInt());
        for (int n = random.nextInt(6); n > 0; n--) memory[random.nextInt(memory.length)]++;
    }

    /** Sets base and index register so that the memory operand lies in the window. */
    private static void aim(UserCode code, RandomGenerator random, CpuState s, int window) {
        if (code.base < 0) return;
        long target = window + TARGET + random.nextInt(128) - code.displacement;
        if (code.index >= 0) target -= s.gpr[code.index] << code.scale;
        s.gpr[code.base] = target & 0xffffffffL;
    }

    /** Linear address of the memory operand. */
    private static int address(UserCode code, CpuState s) {
        long a = code.displacement;
        if (code.base >= 0) a += s.gpr[code.base];
        if (code.index >= 0) a += s.gpr[code.index] << code.scale;
        return (int) a;
    }

    /** What has to be in memory or in the operand's register before the instruction. */
    private static void memoryContents(
            UserForm form, UserCode code, RandomGenerator random, CpuState s, byte[] memory, int window, int codeAddress) {
        // A branch goes behind the code, or to the bytes that it may skip.
        long target = codeAddress + (random.nextBoolean() ? code.length : code.bytes.length);
        int at = address(code, s) - window;
        switch (form.opcode().mnemonic) {
            case PUSH -> {
                // SDM 2B: a selector may be pushed by a 16-bit move, which leaves the upper half as it is, or zero-extended.
                if (form.opcode().operandCount() == 1 && UserForm.isSegment(form.opcode().operand(0))) {
                    put(memory, (int) s.gpr[RSP] - window - 4, 4, 0);
                }
            }
            case RET -> put(memory, (int) s.gpr[RSP] - window, 4, target);
            case JMP, CALL -> {
                if (form.memory()) put(memory, at, 4, target);
                else if (code.rm >= 0 && form.has("Ev")) s.gpr[code.rm] = target;
            }
            case POPF -> {
                int flags = random.nextInt() & (CpuState.ARITHMETIC_FLAGS | CpuState.DF | CpuState.IF | CpuState.IOPL) | 2;
                put(memory, (int) s.gpr[RSP] - window, 4, flags);
            }
            case BOUND -> {
                int size = form.operandSize(), shift = 64 - 8 * size;
                long index = s.gpr[code.register] << shift >> shift;
                long min = -1L << 8 * size - 1, max = ~min;
                put(memory, at, size, random.nextBoolean() ? min : Math.max(min, index - random.nextInt(3)));
                put(memory, at + size, size, random.nextBoolean() ? max : Math.min(max, index + random.nextInt(3)));
            }
            case CMPXCHG -> {
                if (random.nextBoolean()) return;
                int width = form.width();
                long mask = width == 4 ? 0xffffffffL : (1L << 8 * width) - 1;
                long found = form.memory() ? get(memory, at, width) : register(code.rm, width, s);
                // The base register may be the accumulator itself.
                if (code.base != RAX && code.index != RAX) s.gpr[RAX] = s.gpr[RAX] & ~mask | found & mask;
            }
            case CMPXCHG8B -> {
                if (random.nextBoolean() || used(code, RAX) || used(code, RDX)) return;
                s.gpr[RAX] = get(memory, at, 4);
                s.gpr[RDX] = get(memory, at + 4, 4);
            }
            default -> {}
        }
    }

    private static boolean used(UserCode code, int register) {
        return code.base == register || code.index == register;
    }

    private static void put(byte[] memory, int at, int size, long value) {
        for (int i = 0; i < size; i++) memory[at + i] = (byte) (value >> 8 * i);
    }

    private static long get(byte[] memory, int at, int size) {
        long v = 0;
        for (int i = size - 1; i >= 0; i--) v = v << 8 | memory[at + i] & 0xff;
        return v;
    }

    private static long register(int n, int width, CpuState s) {
        if (width == 1) return n < 4 ? s.gpr[n] & 0xff : s.gpr[n - 4] >> 8 & 0xff;
        return width == 2 ? s.gpr[n] & 0xffff : s.gpr[n];
    }

    /** False for a division that would raise #DE: those cases are kept out, as the host's fault would end the JVM. */
    static boolean faultless(UserForm form, UserCode code, CpuState s, byte[] memory, int window) {
        Mnemonic m = form.opcode().mnemonic;
        if (m != Mnemonic.DIV && m != Mnemonic.IDIV) return true;
        int width = form.width();
        long divisor = form.memory() ? get(memory, address(code, s) - window, width) : register(code.rm, width, s);
        long dividend =
                switch (width) {
                    case 1 -> s.gpr[RAX] & 0xffff;
                    case 2 -> s.gpr[RDX] << 16 & 0xffff0000L | s.gpr[RAX] & 0xffff;
                    default -> s.gpr[RDX] << 32 | s.gpr[RAX];
                };
        if (divisor == 0) return false;
        if (m == Mnemonic.DIV) return Long.compareUnsigned(Long.divideUnsigned(dividend, divisor), 1L << 8 * width) < 0;
        int shift = 64 - 8 * width;
        divisor = divisor << shift >> shift;
        if (width < 4) dividend = dividend << 64 - 16 * width >> 64 - 16 * width;
        if (dividend == Long.MIN_VALUE && divisor == -1) return false;
        long quotient = dividend / divisor;
        return quotient == quotient << shift >> shift;
    }

    /** Flags that the SDM leaves undefined in this case. */
    static int undefined(UserForm form, UserCode code, CpuState s) {
        int undefined = form.opcode().undefined;
        switch (form.opcode().mnemonic) {
            case ROL, ROR, RCL, RCR, SHL, SHR, SAR, SHLD, SHRD -> {
                int count = form.has("1") ? 1 : (form.has("CL") ? (int) s.gpr[RCX] : code.immediate) & 31;
                // SDM 2B: a count of zero changes nothing; OF is defined for one; CF while it comes out of the operand.
                if (count == 0) return 0;
                if (count > 1) undefined |= CpuState.OF;
                if (count >= 8 * form.width() && loses(form.opcode().mnemonic)) undefined |= CpuState.CF;
            }
            default -> {}
        }
        return undefined;
    }

    /** A shift whose last bit may come from outside of the operand. */
    private static boolean loses(Mnemonic m) {
        return m == Mnemonic.SHL || m == Mnemonic.SHR;
    }
}
