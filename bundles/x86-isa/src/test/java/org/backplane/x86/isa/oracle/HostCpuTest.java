package org.backplane.x86.isa.oracle;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.Test;

/** The oracle itself, on results that are known. */
class HostCpuTest {
    private static byte[] bytes(int... values) {
        byte[] b = new byte[values.length];
        for (int i = 0; i < b.length; i++) b[i] = (byte) values[i];
        return b;
    }

    @Test
    void itIsNullWhereItCannotWork() {
        String arch = System.getProperty("os.arch");
        System.setProperty("os.arch", "other");
        try {
            assertNull(HostCpu.create(32));
        } finally {
            System.setProperty("os.arch", arch);
        }
    }

    @Test
    void itRuns32BitCodeInThisProcess() {
        HostCpu created = HostCpu.create(32);
        assumeTrue(created != null, "needs the host CPU as an oracle");
        try (HostCpu host = created) {
            host.load(bytes(0x27)); // daa, which 64-bit mode does not have
            host.gpr(0, 0x9b);
            host.flags(2);
            host.run();
            assertEquals(1, host.gpr(0));
            assertEquals(0x11, host.flags() & 0xd1);
            int a = host.operandAddress();
            host.load(bytes(0x00, 0x0d, a, a >> 8, a >> 16, a >> 24)); // add [operand], cl
            host.operands().set(JAVA_INT, 0, 0x01020304);
            host.gpr(1, 0xfc);
            host.run();
            assertEquals(0x01020300, host.operands().get(JAVA_INT, 0));
            assertEquals(0x55, host.flags() & 0x8d5, "carry, parity, adjust, zero");
        }
    }

    @Test
    void itRuns64BitCode() {
        HostCpu created = HostCpu.create(64);
        assumeTrue(created != null, "needs the host CPU as an oracle");
        try (HostCpu host = created) {
            host.load(bytes(0x4d, 0x01, 0xcf)); // add r15, r9
            host.gpr(15, Long.MAX_VALUE);
            host.gpr(9, 1);
            host.flags(2);
            host.run();
            assertEquals(Long.MIN_VALUE, host.gpr(15));
            assertEquals(0x894, host.flags() & 0x8d5, "overflow, sign, adjust, parity");
        }
    }

    @Test
    void pendingFloatingPointExceptionsStayInTheOracle() {
        HostCpu created = HostCpu.create(32);
        assumeTrue(created != null, "needs the host CPU as an oracle");
        try (HostCpu host = created) {
            host.fxIn().set(JAVA_SHORT, 0, (short) 0x37b); // zero divide unmasked
            host.load(bytes(0xd9, 0xe8, 0xd9, 0xee, 0xde, 0xf9)); // fld1; fldz; fdivp
            host.run();
            assertEquals((short) 0xb084, host.fxOut().get(JAVA_SHORT, 2));
            assertEquals(0, host.fxOut().get(JAVA_LONG_UNALIGNED, 32));
            assertEquals(2.0, Math.sqrt(4.0));
        }
    }
}
