package org.backplane.vmx.realmode;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** kvm-internals 4, interrupts by hand; SDM 3B 20.1.4. */
class IvtDeliveryTest {
    private final TestMemory memory = new TestMemory().ram(0, 1 << 20);
    private final VcpuContext v = new VcpuContext(0, memory, null);
    private final CpuState s = v.state;
    private final IvtDelivery ivt = new IvtDelivery(v);

    @BeforeEach
    void realMode() {
        s.reset();
        s.segSel[CS] = 0x700;
        s.segBase[CS] = 0x7000;
        s.rip = 0x123;
        s.segSel[SS] = 0x2000;
        s.segBase[SS] = 0x20000;
        s.gpr[RSP] = 0xabcd1000L;
        s.setRflags(IF | TF | AC | CF | 2);
        for (int vector = 0; vector < 256; vector++) vector(0, vector, 0x100 + vector, 0x3000);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void vector(long base, int vector, int offset, int selector) {
        memory.write(base + 4 * vector, 2, offset);
        memory.write(base + 4 * vector + 2, 2, selector);
    }

    private boolean deliver(int info) {
        s.injectInfo = INFO_VALID | info;
        return ivt.deliver() == RealModeUnit.DELIVERED;
    }

    private long stack(int word) {
        return memory.read(0x20000 + (s.gpr[RSP] & 0xffff) + 2L * word, 2);
    }

    @Test
    void pushesFlagsCsAndIpAndClearsIfTfAc() {
        assertTrue(deliver(TYPE_EXTERNAL | 8));
        assertEquals(0x3000, s.segSel[CS]);
        assertEquals(0x30000, s.segBase[CS]);
        assertEquals(0x108, s.rip);
        assertEquals(0xabcd0ffaL, s.gpr[RSP], "a 16-bit stack keeps the upper half of ESP");
        assertEquals(0x123, stack(0));
        assertEquals(0x700, stack(1));
        assertEquals(IF | TF | CF | 2, stack(2));
        assertEquals(0, s.rflagsOther & (IF | TF | AC));
        assertTrue(s.cf());
        assertEquals(0, s.injectInfo);
    }

    @Test
    void theTableIsWhereIdtrSays() {
        s.idtBase = 0x8000;
        vector(0x8000, 8, 0x55, 0x66);
        assertTrue(deliver(TYPE_EXTERNAL | 8));
        assertEquals(0x55, s.rip);
        assertEquals(0x66, s.segSel[CS]);
    }

    @Test
    void aSoftwareInterruptReturnsBehindItsInstruction() {
        s.injectLength = 2;
        assertTrue(deliver(TYPE_SOFTWARE_INTERRUPT | 0x21));
        assertEquals(0x125, stack(0));
    }

    @Test
    void anExceptionReturnsToItsInstructionAndPushesNoErrorCode() {
        assertTrue(deliver(TYPE_HARDWARE_EXCEPTION | 13));
        assertEquals(0x123, stack(0));
        assertEquals(0xabcd0ffaL, s.gpr[RSP]);
    }

    @Test
    void theStackWrapsAt64K() {
        s.gpr[RSP] = 2;
        memory.write(0x20000, 2, 0x1111);
        assertTrue(deliver(TYPE_EXTERNAL | 8));
        assertEquals(0xfffc, s.gpr[RSP]);
        assertEquals(0x700, memory.read(0x2fffe, 2));
        assertEquals(IF | TF | CF | 2, memory.read(0x20000, 2));
    }

    @Test
    void anNmiBlocksNmisAndEveryEventEndsTheShadowOfSti() {
        s.blocking = BLOCKING_STI;
        s.activity = HLT;
        assertTrue(deliver(TYPE_NMI | 2));
        assertEquals(BLOCKING_NMI, s.blocking);
        assertEquals(ACTIVE, s.activity);
    }

    @Test
    void aVectorBeyondTheTableRaisesGpInItsPlace() {
        s.idtLimit = 15 * 4 - 1;
        assertTrue(deliver(TYPE_EXTERNAL | 0x20));
        assertEquals(0x10d, s.rip);
        assertEquals(0x123, stack(0));
    }

    @Test
    void aVectorThatTheTableHoldsOnlyInPartIsBeyondIt() {
        s.idtLimit = 0x20 * 4 + 2;
        assertTrue(deliver(TYPE_EXTERNAL | 0x20));
        assertEquals(0x10d, s.rip);
        s.rip = 0x123;
        s.idtLimit = 0x20 * 4 + 3;
        assertTrue(deliver(TYPE_EXTERNAL | 0x20));
        assertEquals(0x120, s.rip);
    }

    @Test
    void aContributoryExceptionThatCannotBeDeliveredBecomesADoubleFault() {
        s.idtLimit = 9 * 4 - 1;
        assertTrue(deliver(TYPE_HARDWARE_EXCEPTION | 13));
        assertEquals(0x108, s.rip);
    }

    @Test
    void withoutATableThereIsATripleFault() {
        s.idtLimit = 0;
        assertFalse(deliver(TYPE_EXTERNAL | 8));
        assertEquals(0x123, s.rip);
        assertEquals(0xabcd1000L, s.gpr[RSP]);
    }

    @Test
    void aStackThatEndsInsideAWordRaisesSsWhichThenCannotBeDeliveredEither() {
        s.gpr[RSP] = 5;
        assertFalse(deliver(TYPE_EXTERNAL | 8));
        assertEquals(5, s.gpr[RSP]);
        assertNotEquals(0x108, s.rip);
    }

    @Test
    void whoTracesEventsSeesThem() {
        List<Integer> seen = new ArrayList<>();
        v.trace = (context, info, error) -> seen.add(info & 0xff);
        s.idtLimit = 15 * 4 - 1;
        deliver(TYPE_EXTERNAL | 0x20);
        assertEquals(List.of(0x20, 13), seen);
    }
}
