package org.backplane.kvm.core.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** kvm-internals 4: the TSS of virtual-8086 mode, and the identity map beside it. */
class ReservedPagesTest {
    private static final long MAP = 0xfffbc000L, TSS = 0xfffbd000L;

    private final GuestMemory memory = new GuestMemory();

    @BeforeEach
    void map() {
        ReservedPages.map(memory);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void theyAreWhereTheProcessorIsTold() {
        assertEquals(new RealModePages(TSS, MAP), RealModePages.STANDARD);
    }

    @Test
    void theTssAllowsEveryPortAndRedirectsNoInterrupt() {
        assertEquals(0x88, memory.read(TSS + 0x66, 2), "the I/O map follows the redirection map");
        for (int at = 0x68; at < 0x2088; at++) assertEquals(0, memory.read(TSS + at, 1));
        assertEquals(0xff, memory.read(TSS + RealModePages.TSS_LIMIT, 1), "the byte that ends the map");
    }

    @Test
    void eachOf1024EntriesMaps4MiBToItself() {
        for (long i = 0; i < 1024; i++) assertEquals(i << 22 | 0xe7, memory.read(MAP + 4 * i, 4));
    }

    @Test
    void theGuestCannotChangeThem() {
        memory.write(MAP, 4, 0);
        assertEquals(0xe7, memory.read(MAP, 4));
    }

    @Test
    void theyAreThereWithTheA20GateOff() {
        memory.setA20(false);
        assertEquals(0x88, memory.read(TSS + 0x66, 2));
        assertEquals(0xe7, memory.read(MAP, 4));
    }

    @Test
    void aSecondTimeChangesNothing() {
        int slots = memory.slots().size();
        ReservedPages.map(memory);
        assertEquals(slots, memory.slots().size());
    }

    @Test
    void aCallersSlotMayNotOverlapThem() {
        KvmException e = assertThrows(KvmException.class, () -> memory.set(5, 0, TSS, 4096, null));
        assertEquals(Errno.EEXIST, e.errno());
        assertTrue(e.getMessage().contains("fffbc000"), e.getMessage());
    }
}
