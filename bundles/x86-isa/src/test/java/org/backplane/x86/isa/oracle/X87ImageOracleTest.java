package org.backplane.x86.isa.oracle;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.x86.isa.fpu.X87;
import org.backplane.x86.isa.fpu.X87Image;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The memory images of the x87 state, against the host CPU where it can produce them and against the SDM's figures elsewhere. */
class X87ImageOracleTest {
    private static final int CASES = 300;

    private final SplittableRandom random = new SplittableRandom(87);
    private final FpuOperands operands = new FpuOperands(random);
    private final CpuState before = new CpuState(), ours = new CpuState(), theirs = new CpuState();
    private final byte[] image = new byte[512];
    private final HostCpu host = HostCpu.create(32);

    @AfterEach
    void closeHost() {
        if (host != null) host.close();
    }

    /** Machine code of {@code prefix opcode /reg [operand buffer]}. */
    private byte[] code(boolean small, int opcode, int reg) {
        int a = host.operandAddress();
        byte[] code = {
            0x66, (byte) opcode, (byte) (reg << 3 | 5), (byte) a, (byte) (a >> 8), (byte) (a >> 16), (byte) (a >> 24)
        };
        return small ? code : Arrays.copyOfRange(code, 1, code.length);
    }

    @Test
    void environmentAndStateAreStoredAsByTheHost() {
        assumeTrue(host != null, "needs the host CPU as an oracle");
        for (int variant = 0; variant < 4; variant++) {
            boolean small = (variant & 1) != 0, all = (variant & 2) != 0;
            int format = small ? X87Image.PROTECTED_16 : X87Image.PROTECTED_32;
            host.load(code(small, all ? 0xdd : 0xd9, 6));
            for (int i = 0; i < CASES; i++) {
                operands.state(before);
                ours.copyFrom(before);
                FpuTransfer.toHost(before, host);
                host.operands().fill((byte) 0x55);
                host.run();
                FpuTransfer.fromHost(host, theirs);
                if (all) {
                    X87Image.state(ours, image, format);
                    X87.fninit(ours);
                } else {
                    X87Image.environment(ours, image, format);
                    X87Image.fnstenv(ours);
                }
                assertEquals(FpuTransfer.print(theirs), FpuTransfer.print(ours));
                comparePointersApart(format, all);
            }
        }
    }

    private void comparePointersApart(int format, boolean all) {
        int size = all ? X87Image.stateSize(format) : X87Image.environmentSize(format);
        byte[] got = new byte[size], expected = new byte[size];
        System.arraycopy(image, 0, got, 0, size);
        MemorySegment.copy(host.operands(), JAVA_BYTE, 0, expected, 0, size);
        // FXRSTOR of an AMD processor leaves the pointers alone when no exception is pending: the host has its own.
        boolean small = format == X87Image.PROTECTED_16;
        for (int at = small ? 6 : 12; at < (small ? 14 : 26); at++) got[at] = expected[at] = 0;
        assertArrayEquals(expected, got);
        assertEquals(0x55, host.operands().get(JAVA_BYTE, size));
    }

    @Test
    void environmentAndStateAreLoadedAsByTheHost() {
        assumeTrue(host != null, "needs the host CPU as an oracle");
        for (int variant = 0; variant < 4; variant++) {
            boolean small = (variant & 1) != 0, all = (variant & 2) != 0;
            int format = small ? X87Image.PROTECTED_16 : X87Image.PROTECTED_32;
            host.load(code(small, all ? 0xdd : 0xd9, 4));
            for (int i = 0; i < CASES; i++) {
                operands.state(before);
                random.nextBytes(image);
                ours.copyFrom(before);
                FpuTransfer.toHost(before, host);
                MemorySegment.copy(image, 0, host.operands(), JAVA_BYTE, 0, 512);
                host.run();
                FpuTransfer.fromHost(host, theirs);
                if (all) X87Image.frstor(ours, image, format);
                else X87Image.fldenv(ours, image, format);
                assertEquals(FpuTransfer.print(theirs), FpuTransfer.print(ours));
            }
        }
    }

    @Test
    void fxsaveAndFxrstorAreThoseOfTheHost() {
        assumeTrue(host != null, "needs the host CPU as an oracle");
        for (int i = 0; i < CASES; i++) {
            operands.state(before);
            for (int x = 0; x < 16; x++) before.xmm[x] = random.nextLong();
            ours.copyFrom(before);
            assertEquals(288, X87Image.fxsave(ours, image, 8, false));
            MemorySegment.copy(image, 0, host.fxIn(), JAVA_BYTE, 0, 288);
            host.run();
            FpuTransfer.fromHost(host, theirs);
            assertEquals(FpuTransfer.print(theirs), FpuTransfer.print(ours));
            byte[] out = new byte[512];
            MemorySegment.copy(host.fxOut(), JAVA_BYTE, 0, out, 0, 512);
            ours.reset();
            // The mask of MXCSR is the host's own.
            assertTrue(X87Image.fxrstor(ours, out, 8, false));
            assertEquals(FpuTransfer.print(theirs), FpuTransfer.print(ours));
            for (int x = 0; x < 16; x++) assertEquals(before.xmm[x], ours.xmm[x]);
        }
    }

    @Test
    void everyFormatLoadsWhatItStored() {
        for (int format = 0; format < 4; format++) {
            operands.state(before);
            pointers(before, format);
            ours.copyFrom(before);
            X87Image.state(ours, image, format);
            X87.fninit(ours);
            X87Image.frstor(ours, image, format);
            assertEquals(FpuTransfer.print(before), FpuTransfer.print(ours), "format " + format);
            assertEquals(before.fpInstructionPointer, ours.fpInstructionPointer, "format " + format);
            assertEquals(before.fpDataPointer, ours.fpDataPointer, "format " + format);
            assertEquals(before.fpOpcode, ours.fpOpcode, "format " + format);
        }
    }

    /** Pointers that the format can hold. */
    private static void pointers(CpuState s, int format) {
        boolean real = (format & 2) == 0, wide = (format & 1) != 0;
        s.fpInstructionPointer = wide ? 0x89abcdefL : real ? 0xfedcbL : 0xdcba;
        s.fpDataPointer = wide ? 0x12345678L : real ? 0x54321L : 0x4321;
        s.fpInstructionSelector = real ? 0 : 0x1234;
        s.fpDataSelector = real ? 0 : 0x5678;
        s.fpOpcode = real || wide ? 0x5a5 : 0;
    }

    @Test
    void realModeEnvironmentHoldsLinearAddressesAndTheOpcode() {
        before.fpInstructionSelector = 0xf000;
        before.fpInstructionPointer = 0x1234;
        before.fpDataSelector = 0x2000;
        before.fpDataPointer = 0x0678;
        before.fpOpcode = 0x1c9;
        X87Image.environment(before, image, X87Image.REAL_16);
        ByteBuffer b = ByteBuffer.wrap(image).order(ByteOrder.LITTLE_ENDIAN);
        // SDM 1 figure 8-12
        assertEquals(0x1234, b.getShort(6) & 0xffff);
        assertEquals(0xf1c9, b.getShort(8) & 0xffff);
        assertEquals(0x0678, b.getShort(10) & 0xffff);
        assertEquals(0x2000, b.getShort(12) & 0xffff);
        X87Image.environment(before, image, X87Image.REAL_32);
        // SDM 1 figure 8-10
        assertEquals(0x1234, b.getInt(12) & 0xffff);
        assertEquals(0x000f << 12 | 0x1c9, b.getInt(16));
        assertEquals(0x0678, b.getInt(20) & 0xffff);
        assertEquals(0x0002 << 12, b.getInt(24));
    }

    @Test
    void fxrstorRefusesReservedBitsOfMxcsr() {
        X87Image.fxsave(before, image, 8, false);
        image[26] = 1;
        ours.copyFrom(before);
        assertFalse(X87Image.fxrstor(ours, image, 8, false));
        assertEquals(FpuTransfer.print(before), FpuTransfer.print(ours));
        assertTrue(X87Image.fxrstor(ours, image, 0, false), "without CR4.OSFXSR it is not loaded");
    }
}
