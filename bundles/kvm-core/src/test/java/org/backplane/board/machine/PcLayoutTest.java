package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.spi.cpu.RealModePages;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The memory map that firmware and loaders report. */
class PcLayoutTest {
    /** kvm-internals 4: identity map and TSS lie where a kernel never puts anything of its own. */
    @ParameterizedTest
    @ValueSource(longs = {16, 256, 3072, 3584, 4096, 8192})
    void theMemoryMapReportsNoRamAtTheReservedPages(long megabytes) {
        long ram = 0;
        for (var r : PcLayout.memoryMap(megabytes << 20)) {
            if (r.type() != 1) continue;
            ram += r.length();
            boolean below = r.gpa() + r.length() <= RealModePages.STANDARD.identityMap();
            boolean above = r.gpa() >= RealModePages.STANDARD.tss() + 3 * 4096;
            assertTrue(below || above, () -> String.format("RAM from 0x%x on, 0x%x bytes", r.gpa(), r.length()));
        }
        assertTrue(ram <= megabytes << 20 && ram > (megabytes << 20) - (1 << 20), "and what the machine has is in it");
    }
}
