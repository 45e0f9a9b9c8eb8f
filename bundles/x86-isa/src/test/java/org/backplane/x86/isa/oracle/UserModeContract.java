package org.backplane.x86.isa.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The integer part of the opcode table against the host CPU: every form that runs in user mode, with random registers, flags, memory,
 * addressing and immediates. Registers, memory, RIP and all flags that the table does not call undefined must agree.
 *
 * <p>A subclass says what executes our side. On other hosts than Linux on x86-64 the outcomes are compared with recorded digests.
 */
public abstract class UserModeContract {
    /** Bytes of memory that instructions may touch, and where in it memory operands begin. */
    static final int WINDOW = 1024, TARGET = 384;

    /** Machine codes a form, and cases with each. */
    private static final int CODES = 16, CASES = Integer.getInteger("backplane.cases", 64);

    /** Where the oracle's mapping lies unless something else is there; digests are for these addresses. */
    private static final int NOMINAL_WINDOW = 0x10002000, NOMINAL_CODE = 0x1000043f;

    private static final int COMPARED = CpuState.ARITHMETIC_FLAGS | CpuState.DF;

    private final UserMachine machine = machine();
    private final HostCpu host = HostCpu.available() ? new HostCpu(32) : null;
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
        CpuState s = machine.state();
        s.copyFrom(before);
        System.arraycopy(memoryBefore, 0, machine.window(), 0, WINDOW);
        String failure = machine.step();
        if (failure != null) fail(failure + describe(form, code));
        // What the code does after a branch that was not taken.
        if (s.rip == codeAddress + code.length && code.bytes.length > code.length) {
            s.gpr[0] ^= 0xffffffffL;
            s.rip = codeAddress + code.bytes.length;
        }
        int defined = COMPARED & ~UserOperands.undefined(form, code, before);
        digest.update(machine.window());
        for (int r = 0; r < 8; r++) add(digest, s.gpr[r]);
        add(digest, s.rflags() & defined);
        if (s.rip != codeAddress + code.bytes.length) fail(String.format("rip %x", s.rip) + describe(form, code));
        if (host != null) compareWithHost(form, code, s, defined);
    }

    private void compareWithHost(UserForm form, UserCode code, CpuState s, int defined) {
        MemorySegment.copy(memoryBefore, 0, host.operands(), JAVA_BYTE, 0, WINDOW);
        for (int r = 0; r < 8; r++) host.gpr(r, before.gpr[r]);
        host.flags((int) before.rflags());
        host.run();
        MemorySegment.copy(host.operands(), JAVA_BYTE, 0, theirMemory, 0, WINDOW);
        for (int r = 0; r < 8; r++) {
            if (s.gpr[r] != host.gpr(r)) {
                fail(String.format("register %d: ours %x host %x", r, s.gpr[r], host.gpr(r)) + describe(form, code));
            }
        }
        if (((s.rflags() ^ host.flags()) & defined) != 0) {
            fail(String.format("flags: ours %x host %x, defined %x", s.rflags(), host.flags(), defined)
                    + describe(form, code));
        }
        int at = Arrays.mismatch(machine.window(), theirMemory);
        if (at >= 0) {
            fail(String.format("memory at %x: ours %x host %x", window + at, machine.window()[at], theirMemory[at])
                    + describe(form, code));
        }
    }

    private String describe(UserForm form, UserCode code) {
        StringBuilder b = new StringBuilder("\n").append(form.name()).append(": ");
        b.append(HexFormat.ofDelimiter(" ").formatHex(code.bytes));
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
