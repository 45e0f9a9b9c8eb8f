package org.backplane.x86.isa.oracle;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.fpu.X87;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Every x87 instruction form against the host CPU, over random and special operands, all rounding and precision modes, masked and
 * unmasked exceptions, and stack faults. On other hosts: against recorded digests.
 */
class X87OracleTest {
    /** Cases an instruction form. */
    private static final int CASES = Integer.getInteger("backplane.cases", 3000);

    private static final int ARITHMETIC = CpuState.ARITHMETIC_FLAGS;

    private static final Digests DIGESTS = new Digests(X87OracleTest.class, "x87.digest");

    private final HostCpu host = HostCpu.create(32);
    private final CpuState before = new CpuState(), ours = new CpuState(), theirs = new CpuState();
    private final OperandBytes memoryBefore = new OperandBytes(),
            memory = new OperandBytes(),
            theirMemory = new OperandBytes();

    @AfterAll
    static void save() {
        DIGESTS.save();
    }

    @AfterEach
    void closeHost() {
        if (host != null) host.close();
    }

    @TestFactory
    Stream<DynamicTest> everyFormGivesWhatTheHostGives() {
        List<X87Form> forms = X87Forms.all();
        return forms.stream().map(f -> DynamicTest.dynamicTest(f.name(), () -> test(f)));
    }

    private void test(X87Form form) {
        FpuOperands operands = new FpuOperands(new SplittableRandom(form.name().hashCode()));
        CRC32 digest = new CRC32();
        if (host != null) host.load(form.code(host.operandAddress()));
        String failure = null;
        int failures = 0;
        for (int i = 0; i < CASES; i++) {
            prepare(form, operands);
            form.action().run(ours, memory);
            digest(form, digest);
            if (host == null) continue;
            runOnHost();
            String difference = difference(form);
            if (difference == null) continue;
            failures++;
            if (failure == null) {
                failure = "case " + i + ": " + difference + "\nbefore " + FpuTransfer.print(before)
                        + String.format(" m=%04x.%016x", memoryBefore.high & 0xffff, memoryBefore.low) + "\nours   "
                        + FpuTransfer.print(ours) + "\nhost   " + FpuTransfer.print(theirs);
            }
        }
        if (failure != null) fail(failures + " of " + CASES + " cases differ, first: " + failure);
        assertEquals(DIGESTS.expected(form.name(), digest.getValue()), String.format("%08x", digest.getValue()));
    }

    private void prepare(X87Form form, FpuOperands operands) {
        operands.state(before);
        before.setRflags(2 | operands.random().nextInt() & ARITHMETIC);
        memoryBefore.low = operands.random().nextLong();
        memoryBefore.high = operands.random().nextLong();
        switch (form.operand()) {
            case F32 -> memoryBefore.low = operands.real(32);
            case F64 -> memoryBefore.low = operands.real(64);
            case F80 -> {
                CpuState scratch = ours;
                operands.register(scratch, 0, 0x3fff);
                memoryBefore.put80(scratch.fpMantissa[0], scratch.fpSignExp[0]);
            }
            case I16 -> memoryBefore.low = operands.integer(16);
            case I32 -> memoryBefore.low = operands.integer(32);
            case I64 -> memoryBefore.low = operands.integer(64);
            case BCD ->
                memoryBefore.put80(
                        operands.digits(16), (int) operands.digits(2) | operands.random().nextInt(2) << 15);
            case NONE, OUT -> {}
        }
        if (form.ulps() != 0) TranscendentalOperands.adjust(form.name(), before, operands.random());
        ours.copyFrom(before);
        memory.low = memoryBefore.low;
        memory.high = memoryBefore.high;
    }

    private void runOnHost() {
        FpuTransfer.toHost(before, host);
        host.flags((int) before.rflags());
        host.operands().set(JAVA_LONG_UNALIGNED, 0, memoryBefore.low);
        host.operands().set(JAVA_LONG_UNALIGNED, 8, memoryBefore.high);
        host.run();
        FpuTransfer.fromHost(host, theirs);
        theirMemory.low = host.operands().get(JAVA_LONG_UNALIGNED, 0);
        theirMemory.high = host.operands().get(JAVA_LONG_UNALIGNED, 8);
    }

    private String difference(X87Form form) {
        int undefined = form.undefined();
        // A comparison that an unmasked exception stops sets no codes by the SDM; AMD's processors set them.
        // The rounding of an approximation may go either way.
        if (form.ulps() != 0 && (ours.fpStatus & ~before.fpStatus & X87.SF) == 0) undefined |= X87.C1;
        boolean stopped = form.comparison() && X87.pending(ours);
        if (stopped) undefined |= X87.C0 | X87.C2 | X87.C3;
        String state = FpuTransfer.difference(ours, theirs, undefined, form.ulps());
        if (state != null) return state;
        if (memory.low != theirMemory.low || memory.high != theirMemory.high) {
            return String.format(
                    "memory ours %04x.%016x host %04x.%016x",
                    memory.high & 0xffff, memory.low, theirMemory.high & 0xffff, theirMemory.low);
        }
        if (!stopped && ((ours.rflags() ^ host.flags()) & ARITHMETIC) != 0) {
            return String.format("flags ours %x host %x", ours.rflags(), host.flags());
        }
        return null;
    }

    private void digest(X87Form form, CRC32 digest) {
        add(digest, ours.fpStatusWord() & ~form.undefined() | ours.fpControl << 16);
        add(digest, ours.fpEmpty);
        for (int r = 0; r < 8; r++) {
            add(digest, ours.fpMantissa[r]);
            add(digest, ours.fpSignExp[r]);
        }
        add(digest, memory.low);
        add(digest, memory.high);
        add(digest, ours.rflags());
    }

    private static void add(CRC32 digest, long value) {
        for (int i = 0; i < 64; i += 8) digest.update((int) (value >>> i));
    }
}
