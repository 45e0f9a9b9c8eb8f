package org.backplane.x86.isa.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The integer part of the opcode table against the host CPU: every form that runs in user mode, with random registers, flags, memory,
 * addressing and immediates. Registers, memory, RIP and all flags that the table does not call undefined must agree.
 *
 * <p>A subclass says what executes our side. On other hosts than Linux on x86-64 the outcomes are compared with recorded digests.
 */
public abstract class UserModeContract {
    /** Bytes of memory that instructions may touch, and ({@link #TARGET}) where in it memory operands begin. */
    public static final int WINDOW = 1024;

    static final int TARGET = 384;

    /** Machine codes a form, and cases with each. */
    private static final int CODES = 16, CASES = Integer.getInteger("backplane.cases", 64);

    /** Pairs of instructions, and cases with each. */
    private static final int PAIRS = 5000, PAIR_CASES = 12;

    /** Where the oracle's mapping lies unless something else is there; digests are for these addresses. */
    private static final int NOMINAL_WINDOW = 0x10002000, NOMINAL_CODE = 0x1000043f;

    private static final int COMPARED = CpuState.ARITHMETIC_FLAGS | CpuState.DF;

    private final UserMachine machine = machine();
    private final HostCpu host = HostCpu.create(32);
    private final int window, codeAddress;
    private final CpuState before = new CpuState();
    private final byte[] memoryBefore = new byte[WINDOW], theirMemory = new byte[WINDOW];

    /** What executes our side. */
    protected abstract UserMachine machine();

    /** Recorded digests, shared by the tests of one class. */
    protected abstract Digests digests();

    protected UserModeContract() {
        if (host != null) {
            host.useFpu(false);
            host.load(new byte[0]);
        }
        window = host == null ? NOMINAL_WINDOW : host.operandAddress();
        codeAddress = host == null ? NOMINAL_CODE : host.codeAddress();
        machine.setWindow(window);
    }

    @AfterEach
    void closeHost() {
        if (host != null) host.close();
    }

    @TestFactory
    Stream<DynamicTest> everyFormGivesWhatTheHostGives() {
        return UserForm.integer().stream().map(f -> DynamicTest.dynamicTest(f.name(), () -> test(f)));
    }

    private void test(UserForm form) {
        SplittableRandom random = new SplittableRandom(form.name().hashCode());
        CRC32 digest = new CRC32();
        for (int n = 0; n < CODES; n++) {
            UserCode code = form.code(random, window);
            machine.load(codeAddress, code.bytes);
            if (host != null) host.load(code.bytes);
            random.nextBytes(memoryBefore);
            for (int i = 0; i < CASES; i++) test(form, code, random, digest);
        }
        if (window != NOMINAL_WINDOW || codeAddress != NOMINAL_CODE) return;
        assertEquals(digests().expected(form.name(), digest.getValue()), String.format("%08x", digest.getValue()));
    }

    private void test(UserForm form, UserCode code, RandomGenerator random, CRC32 digest) {
        do {
            UserOperands.prepare(form, code, random, before, memoryBefore, window, codeAddress);
        } while (!UserOperands.faultless(form, code, before, memoryBefore, window));
        int defined = COMPARED & ~UserOperands.undefined(form, code, before);
        run(form.name(), code.bytes, defined, digest);
    }

    /** Runs the loaded code on the prepared state, here and on the host. */
    private void run(String name, byte[] code, int defined, CRC32 digest) {
        CpuState s = machine.state();
        s.copyFrom(before);
        System.arraycopy(memoryBefore, 0, machine.window(), 0, WINDOW);
        String failure = machine.run();
        if (failure != null) fail(failure + describe(name, code));
        if (s.rip != codeAddress + code.length) fail(String.format("rip %x", s.rip) + describe(name, code));
        digest.update(machine.window());
        for (int r = 0; r < 8; r++) add(digest, s.gpr[r]);
        add(digest, s.rflags() & defined);
        if (host != null) compareWithHost(name, code, s, defined);
    }

    /** Two instructions: flags must reach the second one, however an engine keeps them or fuses both. */
    @Test
    void flagsReachTheNextInstruction() {
        SplittableRandom random = new SplittableRandom(2);
        CRC32 digest = new CRC32();
        List<UserForm> first = UserForm.integer().stream().filter(UserForm::mayComeFirst).toList();
        List<UserForm> second = UserForm.integer().stream().filter(UserForm::readsFlags).toList();
        for (int n = 0; n < PAIRS; n++) {
            UserForm a = first.get(random.nextInt(first.size())), b = second.get(random.nextInt(second.size()));
            UserCode codeA = a.code(random, window), codeB = b.code(random, window);
            byte[] code = Arrays.copyOf(codeA.bytes, codeA.bytes.length + codeB.bytes.length);
            System.arraycopy(codeB.bytes, 0, code, codeA.bytes.length, codeB.bytes.length);
            machine.load(codeAddress, code);
            if (host != null) host.load(code);
            for (int i = 0; i < PAIR_CASES; i++) {
                do {
                    UserOperands.prepare(a, codeA, random, before, memoryBefore, window, codeAddress);
                } while (!UserOperands.faultless(a, codeA, before, memoryBefore, window));
                int undefined = UserOperands.undefined(a, codeA, before);
                if ((undefined & b.opcode().read) != 0) continue;
                undefined = undefined & ~b.opcode().written | b.opcode().undefined;
                run(a.name() + "; " + b.name(), code, COMPARED & ~undefined, digest);
            }
        }
        if (window != NOMINAL_WINDOW || codeAddress != NOMINAL_CODE) return;
        assertEquals(digests().expected("pairs", digest.getValue()), String.format("%08x", digest.getValue()));
    }

    private void compareWithHost(String name, byte[] code, CpuState s, int defined) {
        MemorySegment.copy(memoryBefore, 0, host.operands(), JAVA_BYTE, 0, WINDOW);
        for (int r = 0; r < 8; r++) host.gpr(r, before.gpr[r]);
        host.flags((int) before.rflags());
        host.run();
        MemorySegment.copy(host.operands(), JAVA_BYTE, 0, theirMemory, 0, WINDOW);
        for (int r = 0; r < 8; r++) {
            if (s.gpr[r] != host.gpr(r)) {
                fail(String.format("register %d: ours %x host %x", r, s.gpr[r], host.gpr(r)) + describe(name, code));
            }
        }
        if (((s.rflags() ^ host.flags()) & defined) != 0) {
            fail(String.format("flags: ours %x host %x, defined %x", s.rflags(), host.flags(), defined)
                    + describe(name, code));
        }
        int at = Arrays.mismatch(machine.window(), theirMemory);
        if (at >= 0) {
            fail(String.format("memory at %x: ours %x host %x", window + at, machine.window()[at], theirMemory[at])
                    + describe(name, code));
        }
    }

    private String describe(String name, byte[] code) {
        StringBuilder b = new StringBuilder("\n").append(name).append(": ");
        b.append(HexFormat.ofDelimiter(" ").formatHex(code));
        b.append(String.format(" before: flags %x", before.rflags()));
        for (int r = 0; r < 8; r++) b.append(String.format(" r%d=%x", r, before.gpr[r]));
        return b.toString();
    }

    private static void add(CRC32 digest, long value) {
        for (int i = 0; i < 64; i += 8) digest.update((int) (value >>> i));
    }

    /** A random 32-bit number, extremes among them. */
    static long value(RandomGenerator random) {
        return switch (random.nextInt(8)) {
            case 0 -> 1L << random.nextInt(32);
            case 1 -> 0xffffffffL >>> random.nextInt(32);
            case 2 -> 0xffffffffL ^ 1L << random.nextInt(32);
            case 3 -> random.nextInt(256);
            case 4 -> random.nextInt(256) * 0x01010101L & 0xffffffffL;
            default -> random.nextInt() & 0xffffffffL;
        };
    }
}
