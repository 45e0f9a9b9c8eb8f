package org.backplane.kvm.spi.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.backplane.kvm.spi.cpu.SoftTlb.Flush;
import org.junit.jupiter.api.Test;

/** What each kind of flush drops (SDM 3A 4.10.4.1), with large pages that are cached in parts. */
class SoftTlbTest {
    private final SoftTlb tlb = new SoftTlb();

    private void fill(long gva, int shift, boolean global) {
        tlb.fill(SoftTlb.SUPERVISOR, gva, 0x10000, true, false, false, global, shift);
    }

    private Set<Long> cached() {
        return tlb.contents().stream().map(SoftTlb.Entry::gva).collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void anAddressIsDroppedInBothHalvesAndNothingElseIs() {
        fill(0x5000, 12, true);
        tlb.fill(SoftTlb.USER, 0x5000, 0x10000, true, true, true, false);
        fill(0x6000, 12, false);
        tlb.flush(Flush.ADDRESS, 0, 0x5fff);
        assertEquals(Set.of(0x6000L), cached());
    }

    @Test
    void anAddressInALargePageDropsAllItsPartsAndNothingElse() {
        fill(0x401000, 22, false);
        fill(0x7ff000, 22, true);
        fill(0x800000, 22, false);
        fill(0x402000, 12, false);
        tlb.flush(Flush.ADDRESS, 0, 0x600000);
        assertEquals(Set.of(0x402000L, 0x800000L), cached());
        assertEquals(0, tlb.flushes);
    }

    @Test
    void partsOfAPageOf1GiBAreDroppedAllOverIt() {
        long page = 0x7f_c000_0000L;
        fill(page, 30, false);
        fill(page + 0x3fff_f000L, 30, false);
        fill(page - 0x1000, 30, false);
        fill(page + (1L << 32), 30, false);
        tlb.flush(Flush.ADDRESS, 0, page + 0x1234_5000);
        assertEquals(Set.of(page - 0x1000, page + (1L << 32)), cached());
    }

    @Test
    void twoMiBAreHalfOfARegion() {
        fill(0x400000, 21, false);
        fill(0x600000, 21, false);
        tlb.flush(Flush.ADDRESS, 0, 0x5ff000);
        assertEquals(Set.of(0x600000L), cached());
        tlb.flush(Flush.ADDRESS, 0, 0x7ff000);
        assertEquals(Set.of(), cached());
    }

    @Test
    void aLoadOfCr3KeepsGlobalPagesAndTheirParts() {
        fill(0x401000, 22, true);
        fill(0x402000, 22, false);
        fill(0x9000, 12, true);
        fill(0xa000, 12, false);
        tlb.flush(Flush.CONTEXT, 5, 0);
        assertEquals(Set.of(0x9000L, 0x401000L), cached());
        tlb.flush(Flush.ADDRESS, 5, 0x403000);
        assertEquals(Set.of(0x9000L), cached());
    }

    @Test
    void allButGlobalAndAll() {
        fill(0x9000, 12, true);
        fill(0xa000, 12, false);
        tlb.flush(Flush.ALL_BUT_GLOBAL, 0, 0);
        assertEquals(Set.of(0x9000L), cached());
        tlb.flush(Flush.ALL, 0, 0);
        assertEquals(Set.of(), cached());
    }

    @Test
    void aSmallPageInThePlaceOfAPartOfALargeOneIsOnItsOwn() {
        fill(0x401000, 22, false);
        fill(0x401000, 12, false);
        tlb.flush(Flush.ADDRESS, 0, 0x402000);
        assertEquals(Set.of(0x401000L), cached());
    }

    /** A model keeps every part with its page; whatever INVLPG, loads of CR3 and whole flushes come in between, the TLB agrees. */
    @Test
    void randomFillsAndFlushesAgreeWithAModel() {
        record Part(int shift, boolean global) {}
        Random random = new Random(22);
        TreeMap<Long, Part> model = new TreeMap<>();
        int[] shifts = {12, 12, 21, 22, 30};
        for (int n = 0; n < 200_000; n++) {
            long gva = (long) random.nextInt(3) << 30 | (long) random.nextInt(6) << 21 | (long) random.nextInt(4) << 12;
            int dice = random.nextInt(100);
            if (dice < 70) {
                Part p = new Part(shifts[random.nextInt(5)], random.nextBoolean());
                fill(gva, p.shift, p.global);
                // Direct-mapped: what was in the slot is gone.
                model.keySet().removeIf(k -> SoftTlb.slot(k) == SoftTlb.slot(gva));
                model.put(gva, p);
            } else if (dice < 95) {
                tlb.flush(Flush.ADDRESS, 0, gva);
                model.entrySet().removeIf(e -> (e.getKey() ^ gva) >>> e.getValue().shift == 0);
            } else if (dice < 98) {
                tlb.flush(Flush.CONTEXT, 0, 0);
                model.values().removeIf(p -> !p.global);
            } else {
                tlb.flush(Flush.ALL, 0, 0);
                model.clear();
            }
            if (n % 8 == 0) assertEquals(model.keySet(), cached());
        }
    }

    @Test
    void largePagesOfBeforeCostOtherAddressesNothing() {
        fill(0, 22, false);
        fill(0xc000_0000L, 22, false);
        tlb.flush(Flush.CONTEXT, 0, 0);
        fill(0x0804_8000L, 12, false);
        fill(0x0804_9000L, 12, false);
        tlb.flush(Flush.ADDRESS, 0, 0x0804_8000L);
        assertEquals(Set.of(0x0804_9000L), cached());
    }
}
