package org.backplane.x86.isa.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.Test;

/** When divisions raise #DE (SDM 2A, DIV, IDIV and AAM): the cases that cannot be put to the host CPU. */
class DivideErrorTest {
    private static final String DIVIDE_ERROR = "fault 0";
    private static final long RIP = 0x10000000;

    private final HandlerMachine machine = new HandlerMachine();
    private final CpuState s = machine.state();

    /** Executes a division by ECX, CX or CL. */
    private String divide(long eax, long edx, long ecx, int... code) {
        UserOperands.userMode(s);
        byte[] bytes = new byte[code.length];
        for (int i = 0; i < code.length; i++) bytes[i] = (byte) code[i];
        machine.load(RIP, bytes);
        s.rip = RIP;
        s.gpr[CpuState.RAX] = eax;
        s.gpr[CpuState.RDX] = edx;
        s.gpr[CpuState.RCX] = ecx;
        String failure = machine.run();
        if (failure != null) {
            assertEquals(eax, s.gpr[CpuState.RAX], "EAX is kept");
            assertEquals(edx, s.gpr[CpuState.RDX], "EDX is kept");
            assertEquals(RIP, s.rip, "RIP is that of the division");
        }
        return failure;
    }

    @Test
    void aZeroDivisorRaisesDivideErrorInEveryWidth() {
        assertEquals(DIVIDE_ERROR, divide(7, 0, 0x100, 0xf6, 0xf1));
        assertEquals(DIVIDE_ERROR, divide(7, 0, 0x10000, 0x66, 0xf7, 0xf1));
        assertEquals(DIVIDE_ERROR, divide(7, 0, 0, 0xf7, 0xf1));
        assertEquals(DIVIDE_ERROR, divide(7, 0, 0x100, 0xf6, 0xf9));
        assertEquals(DIVIDE_ERROR, divide(7, 0, 0x10000, 0x66, 0xf7, 0xf9));
        assertEquals(DIVIDE_ERROR, divide(7, 0, 0, 0xf7, 0xf9));
        assertEquals(DIVIDE_ERROR, divide(7, 0, 0, 0xd4, 0));
    }

    @Test
    void divRaisesDivideErrorWhenTheQuotientIsTooLarge() {
        assertEquals(DIVIDE_ERROR, divide(0x200, 0, 2, 0xf6, 0xf1));
        assertNull(divide(0x1ff, 0, 2, 0xf6, 0xf1));
        assertEquals(0x1ff, s.gpr[CpuState.RAX], "quotient FF, remainder 1");
        assertEquals(DIVIDE_ERROR, divide(0, 2, 2, 0x66, 0xf7, 0xf1));
        assertNull(divide(0xffff, 1, 2, 0x66, 0xf7, 0xf1));
        assertEquals(DIVIDE_ERROR, divide(0, 2, 2, 0xf7, 0xf1));
        assertNull(divide(0xffffffffL, 1, 2, 0xf7, 0xf1));
        assertEquals(0xffffffffL, s.gpr[CpuState.RAX]);
        assertEquals(DIVIDE_ERROR, divide(0xffffffffL, 0xffffffffL, 0xffffffffL, 0xf7, 0xf1));
    }

    @Test
    void idivTakesTheMostNegativeQuotientAndNoGreaterOne() {
        assertNull(divide(0xff80, 0, 1, 0xf6, 0xf9));
        assertEquals(0x80, s.gpr[CpuState.RAX], "-128 / 1");
        assertEquals(DIVIDE_ERROR, divide(0x80, 0, 1, 0xf6, 0xf9), "128 / 1");
        assertEquals(DIVIDE_ERROR, divide(0x8000, 0, 0xff, 0xf6, 0xf9), "-32768 / -1");
        assertNull(divide(0x8000, 0xffff, 1, 0x66, 0xf7, 0xf9));
        assertEquals(DIVIDE_ERROR, divide(0x8000, 0, 1, 0x66, 0xf7, 0xf9));
        assertNull(divide(0x80000000L, 0xffffffffL, 1, 0xf7, 0xf9));
        assertEquals(DIVIDE_ERROR, divide(0x80000000L, 0, 1, 0xf7, 0xf9));
        assertEquals(DIVIDE_ERROR, divide(0, 0x80000000L, 0xffffffffL, 0xf7, 0xf9), "-2^63 / -1");
        assertEquals(DIVIDE_ERROR, divide(0x80000000L, 0xffffffffL, 0xffffffffL, 0xf7, 0xf9), "-2^31 / -1");
    }
}
