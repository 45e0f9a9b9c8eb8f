package org.backplane.kvm.spi.cpu;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** A region with a part of a large page is marked, one without is not. */
class LargePagesTest {
    private final LargePages large = new LargePages();

    @Test
    void aPageOf4MiBIsOneRegion() {
        large.mark(0xffc0_1000L, 22);
        assertTrue(large.marked(0xffff_ffffL));
        assertFalse(large.marked(0xffbf_ffffL));
        assertFalse(large.marked(0));
    }

    @Test
    void aPageOf1GiBIsAllItsRegionsWhereverItsPartIs() {
        large.mark(0x9234_5000L, 30);
        for (long gva = 0x8000_0000L; gva < 0xc000_0000L; gva += 1 << 22) assertTrue(large.marked(gva));
        assertFalse(large.marked(0x7fff_ffffL));
        assertFalse(large.marked(0xc000_0000L));
    }

    @Test
    void addressesAbove4GiBAreNotForgotten() {
        large.mark(0xffff_ffff_8000_0000L, 21);
        assertTrue(large.marked(0xffff_ffff_801f_ffffL));
    }

    @Test
    void afterClearNothingIsMarked() {
        large.mark(0, 30);
        large.clear();
        assertFalse(large.marked(0x1000));
    }
}
