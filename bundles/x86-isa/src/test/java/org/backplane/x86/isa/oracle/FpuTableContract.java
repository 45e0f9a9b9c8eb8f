package org.backplane.x86.isa.oracle;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.Opcode;
import org.backplane.x86.isa.OpcodeTable;
import org.backplane.x86.isa.fpu.X87;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The x87 and MMX lines of the opcode table against the host CPU, from machine code to result. The arithmetic in its depth is the
 * subject of {@link X87OracleTest} and {@link MmxOracleTest}; here it is decoding, operands, and that each line does what it says.
 */
public abstract class FpuTableContract {
    private static final int CASES = Integer.getInteger("backplane.cases", 200);

    /** Images that hold pointers, which the host keeps only with a pending exception; see {@link X87ImageOracleTest}. */
    private static final Set<String> ELSEWHERE = Set.of("FLDENV", "FRSTOR", "FNSTENV", "FNSAVE", "FXSAVE", "FXRSTOR");

    private static final int NOMINAL_WINDOW = 0x10002000, TARGET = UserModeContract.TARGET;

    private static final int C023 = X87.C0 | X87.C2 | X87.C3;

    private final UserMachine machine = machine();
    private final HostCpu host = HostCpu.create(32);
    private final int window = host == null ? NOMINAL_WINDOW : host.operandAddress();
    private final long codeAddress = host == null ? NOMINAL_WINDOW - 0x2000 : host.codeAddress();
    private final CpuState before = new CpuState(), theirs = new CpuState();

    protected FpuTableContract() {
        machine.setWindow(window);
    }

    /** What executes our side. */
    protected abstract UserMachine machine();

    /** Recorded digests, shared by the tests of one class. */
    protected abstract Digests digests();

    @AfterEach
    void closeHost() {
        if (host != null) host.close();
    }

    @TestFactory
    Stream<DynamicTest> everyLineDoesWhatTheHostDoes() {
        return OpcodeTable.all().stream()
                .filter(o -> o.is(Opcode.FPU) || o.is(Opcode.FPU0) || o.is(Opcode.MMX))
                .filter(o -> !ELSEWHERE.contains(o.mnemonic.name()))
                // The undocumented alias of FSTP is the one that ignores a stack underflow on AMD's processors.
                .filter(o -> !o.key.equals("D9/3r"))
                .map(o -> DynamicTest.dynamicTest(name(o), () -> test(o)));
    }

    private static String name(Opcode o) {
        StringBuilder b = new StringBuilder(o.toString());
        for (int n = 0; n < o.operandCount(); n++) b.append(n == 0 ? ' ' : ',').append(o.operand(n));
        return b.toString();
    }

    private void test(Opcode o) {
        SplittableRandom random = new SplittableRandom(name(o).hashCode());
        FpuOperands operands = new FpuOperands(random);
        CRC32 digest = new CRC32();
        byte[] code = null;
        for (int i = 0; i < CASES; i++) {
            if (i % 25 == 0) {
                code = code(o, random);
                machine.load(codeAddress, code);
                if (host != null) host.load(code);
            }
            prepare(o, operands);
            run(o, code, digest);
        }
        assertEquals(digests().expected(name(o), digest.getValue()), String.format("%08x", digest.getValue()));
    }

    /** Machine code of the line: a memory operand lies at {@link #TARGET} of the window. */
    private byte[] code(Opcode o, SplittableRandom random) {
        String key = o.key;
        boolean two = key.startsWith("0F");
        int opcode = Integer.parseInt(two ? key.substring(2, 4) : key.substring(0, 2), 16);
        String rest = key.substring(two ? 4 : 2);
        int address = window + TARGET;
        int modrm = 0xc0 | random.nextInt(8);
        boolean memory = rest.endsWith("m");
        if (rest.startsWith("_")) modrm = Integer.parseInt(rest.substring(1), 16);
        else if (rest.startsWith("/")) modrm |= (rest.charAt(1) - '0') << 3;
        else {
            modrm |= random.nextInt(8) << 3;
            memory = random.nextBoolean();
        }
        if (memory) modrm = modrm & 0x38 | 5;
        boolean immediate = o.operandCount() == 2 && o.operand(1).equals("Ib");
        int length = (two ? 2 : 1) + (o.mnemonic.name().equals("EMMS") ? 0 : memory ? 5 : 1) + (immediate ? 1 : 0);
        byte[] code = new byte[length];
        int at = 0;
        if (two) code[at++] = 0x0f;
        code[at++] = (byte) opcode;
        if (at < length) code[at++] = (byte) modrm;
        for (int i = 0; memory && i < 4 && at < length; i++) code[at++] = (byte) (address >> 8 * i);
        if (immediate) code[at] = (byte) random.nextInt(70);
        return code;
    }

    private void prepare(Opcode o, FpuOperands operands) {
        operands.state(before);
        // An MMX instruction waits as well; nothing is pending.
        UserOperands.userMode(before);
        before.rip = codeAddress;
        before.setRflags(2 | CpuState.IF | operands.random().nextInt() & CpuState.ARITHMETIC_FLAGS);
        for (int r = 0; r < 8; r++) before.gpr[r] = UserModeContract.value(operands.random());
        OperandBytes m = new OperandBytes();
        m.low = operands.random().nextLong();
        m.high = operands.random().nextLong();
        String name = o.mnemonic.name(), operand = o.operandCount() == 0 ? "" : o.operand(0);
        boolean integer = name.startsWith("FI");
        switch (operand) {
            case "Mw" -> m.low = operands.integer(16);
            case "Md" -> m.low = integer ? operands.integer(32) : operands.real(32);
            case "Mq" -> m.low = integer ? operands.integer(64) : operands.real(64);
            case "Mt" -> {
                if (name.equals("FBLD")) {
                    m.put80(operands.digits(16), (int) operands.digits(2));
                } else {
                    operands.register(theirs, 0, 0x3fff);
                    m.put80(theirs.fpMantissa[0], theirs.fpSignExp[0]);
                }
            }
            default -> {}
        }
        byte[] memory = machine.window();
        for (int i = 0; i < 8; i++) {
            memory[TARGET + i] = (byte) (m.low >> 8 * i);
            memory[TARGET + 8 + i] = (byte) (m.high >> 8 * i);
        }
        TranscendentalOperands.adjust(name.toLowerCase(), before, operands.random());
    }

    private void run(Opcode o, byte[] code, CRC32 digest) {
        CpuState s = machine.state();
        s.copyFrom(before);
        if (host != null) {
            FpuTransfer.toHost(before, host);
            host.flags((int) before.rflags());
            for (int r = 0; r < 8; r++) host.gpr(r, before.gpr[r]);
            host.operands().set(JAVA_LONG_UNALIGNED, TARGET, word(0));
            host.operands().set(JAVA_LONG_UNALIGNED, TARGET + 8, word(8));
        }
        String failure = machine.run();
        if (failure != null) fail(failure + describe(s));
        if (s.rip != codeAddress + code.length) fail(String.format("rip %x", s.rip));
        int undefined = undefined(o, s);
        add(digest, s.fpStatusWord() & ~undefined | s.fpControl << 16 | (long) s.fpEmpty << 32);
        for (int r = 0; r < 8; r++) add(digest, s.fpMantissa[r] * 31 + s.fpSignExp[r] + s.gpr[r]);
        add(digest, word(0) + word(8));
        add(digest, s.rflags());
        if (host != null) compareWithHost(o, s, undefined);
    }

    private void compareWithHost(Opcode o, CpuState s, int undefined) {
        host.run();
        FpuTransfer.fromHost(host, theirs);
        boolean approximate = undefinedCodes(o) == APPROXIMATE;
        String difference = FpuTransfer.difference(s, theirs, undefined, approximate ? 1 : 0);
        if (difference != null) fail(difference + describe(s));
        for (int r = 0; r < 8; r++) if (s.gpr[r] != host.gpr(r)) fail("register " + r + describe(s));
        boolean stopped = X87.pending(s) && o.written != 0;
        if (!stopped && ((s.rflags() ^ host.flags()) & CpuState.ARITHMETIC_FLAGS) != 0) fail("flags" + describe(s));
        if (host.operands().get(JAVA_LONG_UNALIGNED, TARGET) != word(0)
                || host.operands().get(JAVA_LONG_UNALIGNED, TARGET + 8) != word(8)) fail("memory" + describe(s));
    }

    private String describe(CpuState s) {
        return "\nbefore " + FpuTransfer.print(before) + "\nours   " + FpuTransfer.print(s) + "\nhost   "
                + FpuTransfer.print(theirs);
    }

    private long word(int at) {
        byte[] memory = machine.window();
        long v = 0;
        for (int i = 7; i >= 0; i--) v = v << 8 | memory[TARGET + at + i] & 0xff;
        return v;
    }

    /** A value of {@link #undefinedCodes}: a transcendental instruction. */
    private static final int APPROXIMATE = C023 | 1 << 16;

    private int undefined(Opcode o, CpuState s) {
        int undefined = undefinedCodes(o);
        if (undefined == APPROXIMATE && (s.fpStatus & ~before.fpStatus & X87.SF) == 0) undefined |= X87.C1;
        if (undefined == APPROXIMATE && o.mnemonic.name().matches("FSIN.*|FCOS|FPTAN")) undefined &= ~X87.C2;
        // See X87OracleTest: AMD sets the codes also when an unmasked exception stops the comparison.
        if (undefined == 0 && X87.pending(s)) undefined = C023;
        return undefined & 0xffff;
    }

    /** Condition codes that the SDM leaves undefined. */
    private static int undefinedCodes(Opcode o) {
        return switch (o.mnemonic.name()) {
            case "FCOM", "FCOMP", "FCOMPP", "FUCOM", "FUCOMP", "FUCOMPP", "FICOM", "FICOMP", "FTST", "FXAM", "FPREM", "FPREM1" -> 0;
            case "F2XM1", "FYL2X", "FYL2XP1", "FSIN", "FCOS", "FSINCOS", "FPTAN", "FPATAN" -> APPROXIMATE;
            case "FCOMI", "FCOMIP", "FUCOMI", "FUCOMIP", "FFREE", "FFREEP", "FLDCW", "FNCLEX" -> C023 | X87.C1;
            default -> C023;
        };
    }

    private static void add(CRC32 digest, long value) {
        for (int i = 0; i < 64; i += 8) digest.update((int) (value >>> i));
    }
}
