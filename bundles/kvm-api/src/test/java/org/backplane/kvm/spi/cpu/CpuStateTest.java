package org.backplane.kvm.spi.cpu;

import static org.backplane.kvm.spi.cpu.CpuState.*;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The processor after RESET (SDM 3A table 9-1; kvm-internals 4). */
class CpuStateTest {
    @Test
    void resetIsThatOfTheProcessor() {
        CpuState s = new CpuState();
        Arrays.fill(s.gpr, -1);
        s.cr0 = s.cr3 = s.cr4 = s.efer = s.rip = -1;
        s.reset();
        assertEquals(0xf000, s.segSel[CS]);
        assertEquals(0xffff0000L, s.segBase[CS]);
        assertEquals(0xfff0, s.rip, "the first instruction is 16 bytes below 4 GiB");
        assertEquals(2, s.rflags());
        for (int r = 0; r < 16; r++) assertEquals(r == RDX ? 0x600 : 0, s.gpr[r]);
        assertEquals(0x60000010L, s.cr0);
        assertEquals(0, s.cr3 | s.cr4 | s.efer);
        assertEquals(0x400, s.dr[7]);
        assertEquals(0xffff0ff0L, s.dr[6]);
        assertEquals(0x82, s.segAr[LDTR]);
        assertEquals(0x8b, s.segAr[TR]);
        for (int seg = ES; seg <= GS; seg++) {
            assertEquals(0xffff, s.segLimit[seg]);
            assertEquals(seg == CS ? 0x9b : 0x93, s.segAr[seg]);
            if (seg != CS) assertEquals(0, s.segSel[seg] | s.segBase[seg]);
        }
        assertEquals(0, s.cpl);
        assertFalse(s.protectedMode() || s.interruptible());
    }
}
