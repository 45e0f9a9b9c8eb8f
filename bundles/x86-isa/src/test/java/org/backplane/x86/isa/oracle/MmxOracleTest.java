package org.backplane.x86.isa.oracle;

import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.fpu.Mmx;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every MMX operation against the host CPU, over random and extreme lanes; on other hosts against recorded digests. */
class MmxOracleTest {
    private static final int CASES = Integer.getInteger("backplane.cases", 2000);

    private static final Digests DIGESTS = new Digests(MmxOracleTest.class, "mmx.digest");

    private final HostCpu host = HostCpu.create(32);
    private final CpuState before = new CpuState(), ours = new CpuState(), theirs = new CpuState();

    /** An operation of MM1, with MM2 or an immediate. */
    private record Form(String name, int opcode, int reg) {
        boolean immediate() {
            return reg >= 0;
        }

        /** P... mm1, mm2, or the shift of mm1 by {@code count}. */
        byte[] code(int count) {
            return immediate()
                    ? new byte[] {0x0f, (byte) opcode, (byte) (0xc1 | reg << 3), (byte) count}
                    : new byte[] {0x0f, (byte) opcode, (byte) 0xca};
        }
    }

    @AfterAll
    static void save() {
        DIGESTS.save();
    }

    private static List<Form> forms() {
        List<Form> forms = new ArrayList<>();
        IntStream.range(0, 256)
                .filter(Mmx::defined)
                .forEach(o -> forms.add(new Form(String.format("0f %02x mm1,mm2", o), o, -1)));
        for (int opcode = 0x71; opcode <= 0x73; opcode++) {
            for (int reg = 2; reg <= 6; reg += 2) {
                if (opcode == 0x73 && reg == 4) continue;
                forms.add(new Form(String.format("0f %02x/%d mm1,imm8", opcode, reg), opcode, reg));
            }
        }
        return forms;
    }

    @AfterEach
    void closeHost() {
        if (host != null) host.close();
    }

    @TestFactory
    Stream<DynamicTest> everyOperationGivesWhatTheHostGives() {
        return forms().stream().map(f -> DynamicTest.dynamicTest(f.name(), () -> test(f)));
    }

    private void test(Form form) {
        SplittableRandom random = new SplittableRandom(form.name().hashCode());
        FpuOperands operands = new FpuOperands(random);
        CRC32 digest = new CRC32();
        int count = 0;
        boolean shift = (form.opcode() & 0xc0) == 0xc0 && (form.opcode() & 0xf) <= 3;
        for (int i = 0; i < CASES; i++) {
            operands.state(before);
            before.fpMantissa[1] = lanes(random);
            before.fpMantissa[2] = shift && i % 8 != 0 ? random.nextInt(70) : lanes(random);
            if (form.immediate() && i % 32 == 0) count = i / 32 < 70 ? i / 32 : random.nextInt(256);
            ours.copyFrom(before);
            Mmx.enter(ours);
            long a = Mmx.read(ours, 1), b = Mmx.read(ours, 2);
            Mmx.write(
                    ours,
                    1,
                    form.immediate()
                            ? Mmx.shift(form.opcode(), form.reg(), a, count)
                            : Mmx.operate(form.opcode(), a, b));
            for (int r = 0; r < 8; r++) add(digest, ours.fpMantissa[r] + ours.fpSignExp[r]);
            add(digest, ours.fpStatusWord() << 8 | ours.fpEmpty);
            if (host == null) continue;
            if (i % 32 == 0) host.load(form.code(count));
            FpuTransfer.toHost(before, host);
            host.run();
            FpuTransfer.fromHost(host, theirs);
            if (FpuTransfer.difference(ours, theirs, 0, 0) == null) continue;
            fail(String.format("count %d, %016x with %016x", count, a, b) + "\nours " + FpuTransfer.print(ours) + "\nhost "
                    + FpuTransfer.print(theirs));
        }
        assertEquals(DIGESTS.expected(form.name(), digest.getValue()), String.format("%08x", digest.getValue()));
    }

    @Test
    void emmsEmptiesAllTags() {
        Mmx.write(before, 3, 0x1122334455667788L);
        before.fpTop = 5;
        before.fpEmpty = 0;
        before.fpControl = 0x37f;
        ours.copyFrom(before);
        Mmx.emms(ours);
        assertEquals(0xff, ours.fpEmpty);
        if (host == null) return;
        host.load(new byte[] {0x0f, 0x77});
        FpuTransfer.toHost(before, host);
        host.run();
        FpuTransfer.fromHost(host, theirs);
        assertEquals(FpuTransfer.print(theirs), FpuTransfer.print(ours));
    }

    @Test
    void aRegisterMoveToMmxSetsTheExponentOfThatRegisterOnly() {
        if (host != null) {
            int a = host.operandAddress();
            host.load(new byte[] {0x0f, 0x6f, 0x0d, (byte) a, (byte) (a >> 8), (byte) (a >> 16), (byte) (a >> 24)});
            host.operands().set(JAVA_LONG_UNALIGNED, 0, 0x0102030405060708L);
        }
        before.fpTop = 3;
        before.fpEmpty = 0xff;
        before.fpControl = 0x37f;
        ours.copyFrom(before);
        Mmx.enter(ours);
        Mmx.write(ours, 1, 0x0102030405060708L);
        assertTrue(ours.fpSignExp[1] == 0xffff && ours.fpSignExp[0] == 0 && ours.fpTop == 0 && ours.fpEmpty == 0);
        if (host == null) return;
        FpuTransfer.toHost(before, host);
        host.run();
        FpuTransfer.fromHost(host, theirs);
        assertEquals(FpuTransfer.print(theirs), FpuTransfer.print(ours));
    }

    /** Lanes of extremes and small numbers, or noise. */
    private static long lanes(SplittableRandom random) {
        if (random.nextInt(3) == 0) return random.nextLong();
        long out = 0;
        for (int at = 0; at < 64; at += 8) {
            long lane =
                    switch (random.nextInt(6)) {
                        case 0 -> 0x00;
                        case 1 -> 0xff;
                        case 2 -> 0x7f;
                        case 3 -> 0x80;
                        default -> random.nextInt(256);
                    };
            out |= lane << at;
        }
        return out;
    }

    private static void add(CRC32 digest, long value) {
        for (int i = 0; i < 64; i += 8) digest.update((int) (value >>> i));
    }
}
