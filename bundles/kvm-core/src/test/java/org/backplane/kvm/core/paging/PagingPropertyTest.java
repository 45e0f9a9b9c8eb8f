package org.backplane.kvm.core.paging;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.stream.LongStream;
import org.backplane.directmmu.DirectMmuFactory;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.shadowmmu.ShadowMmuFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A guest that does to its page tables whatever a guest can do, at random, with every paging mode: shadow-mmu and direct-mmu under the VT-x
 * backend's paging unit and the core's fault handling, each access compared with {@link ReferencePaging}; see {@link CheckedGuest} for what
 * is compared. In the third run the two MMUs take turns under the guest.
 *
 * <p>A run is decided by its seed: {@code -Dbackplane.paging.seed=N} takes another, {@code -Dbackplane.paging.accesses=N} another length.
 */
class PagingPropertyTest {
    /** Guest tables are in the first pages; the last of them has PDPTEs and its entries are made so. */
    private static final int TABLES = 14, PDPT = 13;

    private static final int BATCH = 500, BATCHES_A_MODE = 20;

    private Random random;
    private CheckedGuest guest;
    private int mode;

    @ParameterizedTest
    @ValueSource(strings = {"shadow", "direct", "both in turns"})
    void everyAccessHasAResultThatTheArchitectureAllows(String mmu) {
        long seed = Long.getLong("backplane.paging.seed", 2007);
        long accesses = Long.getLong("backplane.paging.accesses", 1_000_000);
        random = new Random(seed);
        boolean turns = mmu.startsWith("both");
        guest = new CheckedGuest(factory(mmu.equals("direct")), this::batch);
        try (CheckedGuest g = guest) {
            g.fill(0, bytes(CheckedGuest.RAM_PAGES << 12));
            g.fill(CheckedGuest.ROM, bytes(8 << 12));
            for (int batch = 0; g.accesses < accesses; batch++) {
                if (batch % BATCHES_A_MODE == 0) mode = new int[] {0, 2, 2, 3, 3, 4, 4, 4}[random.nextInt(8)];
                fresh = batch % BATCHES_A_MODE == 0;
                g.run();
                outside(turns);
            }
            System.out.printf(
                    "%s, seed %d: %d accesses, %d faults, %d to devices, %d emulated, %d TLB hits; %d certain, %d old translations used; %s%n",
                    mmu, seed, g.accesses, g.faults, g.devices, g.emulations, g.engine.hits, g.certain, g.stale, g.counters());
            // The run must have been worth something.
            assertTrue(g.certain > g.accesses / 2, "most results are certain");
            assertTrue(g.stale > g.accesses / 5000, "old translations are used");
            assertTrue(g.faults > g.accesses / 20 && g.faults < g.accesses / 4 * 3, "faults, but not only");
            assertTrue(g.devices > g.accesses / 100, "devices");
        } catch (AssertionError e) {
            throw new AssertionError(mmu + ", -Dbackplane.paging.seed=" + seed + ": " + e.getMessage(), e);
        }
    }

    private static MmuFactory factory(boolean direct) {
        return direct ? new DirectMmuFactory() : new ShadowMmuFactory();
    }

    private byte[] bytes(int n) {
        byte[] b = new byte[n];
        random.nextBytes(b);
        return b;
    }

    /** Between two runs: what the board does. */
    private void outside(boolean turns) {
        if (turns && random.nextInt(4) == 0) guest.swap(factory(random.nextBoolean()));
        if (random.nextInt(5) == 0) guest.checkDirtyLog();
        if (random.nextInt(40) == 0) guest.removeAndAdd(1 + random.nextInt(3));
        guest.checkMemory();
    }

    // ---- inside ----

    private boolean fresh;

    private void batch() {
        if (fresh) enterMode();
        for (int n = 0; n < BATCH; n++) step();
        guest.leave();
    }

    /** Another paging mode, with tables that suit it. */
    private void enterMode() {
        guest.usePool(new long[0]);
        guest.setCr4FromOutside(guest.s.cr4 & ~(CpuState.CR4_SMEP | CpuState.CR4_SMAP));
        guest.setCr0(guest.s.cr0 & ~CpuState.CR0_PG);
        guest.setEfer(0);
        long cr4 = guest.s.cr4 & ~CpuState.CR4_PAE;
        guest.setCr4(mode >= 3 ? cr4 | CpuState.CR4_PAE : cr4);
        for (int i = 0; i < 1500; i++) writeEntry();
        for (int i = 0; i < 512; i++) guest.dma(((long) PDPT << 12) + i * 8, 8, pdpte() & ~0x1e6L);
        guest.setEfer((mode == 4 ? CpuState.EFER_LME : 0) | (mode >= 3 && random.nextBoolean() ? CpuState.EFER_NX : 0));
        guest.setCr3(root());
        if (mode != 0) guest.setCr0(guest.s.cr0 | CpuState.CR0_PG);
        guest.usePool(pool());
    }

    /** Few pages, so that tables, TLB entries and accesses meet often. */
    private long[] pool() {
        return switch (mode) {
            case 0 -> LongStream.concat(
                    LongStream.range(0, 24).map(i -> i * 5 << 12),
                    LongStream.of(CheckedGuest.ROM, CheckedGuest.LOGGED, CheckedGuest.LOGGED + 0x1000, 0xfee00000L)).toArray();
            case 2 -> addresses(new int[] {0, 1, 2, 3, 0x100, 0x3ff}, 22, new int[] {0, 1, 2, 3, 0x200, 0x201}, 12, new int[] {0}, 0);
            case 3 -> addresses(new int[] {0, 1, 2, 3}, 30, new int[] {0, 1, 2, 511}, 21, new int[] {0, 1, 2}, 12);
            default -> LongStream.concat(
                    LongStream.of(addresses(new int[] {0, 511}, 39, new int[] {0, 1, 511}, 30, new int[] {0, 1, 2 << 9, 2 << 9 | 1}, 12)),
                    LongStream.of(addresses(new int[] {0, 511}, 39, new int[] {0, 1, 511}, 30, new int[] {1 << 9, 1 << 9 | 2, 511 << 9}, 12)))
                    .map(a -> a << 16 >> 16)
                    .toArray();
        };
    }

    private static long[] addresses(int[] a, int aShift, int[] b, int bShift, int[] c, int cShift) {
        long[] all = new long[a.length * b.length * c.length];
        int n = 0;
        for (long x : a) for (long y : b) for (long z : c) all[n++] = x << aShift | y << bShift | z << cShift;
        return all;
    }

    private void step() {
        int dice = random.nextInt(1000);
        if (dice < 800) access();
        else if (dice < 840) writeEntry();
        else if (dice < 870) changeRecent();
        else if (dice < 900) guestWritesItsTables();
        else if (dice < 905) guest.dma(random.nextInt(TABLES << 12) & ~7L, 1 << random.nextInt(4), random.nextLong());
        else if (dice < 935) guest.invlpg(guest.page(random.nextInt(guest.poolSize())) | random.nextInt(4096));
        else if (dice < 970) guest.setCr3(root());
        else if (dice < 980) registers();
        else access();
    }

    private void access() {
        int access = random.nextInt(4) == 0 ? ReferencePaging.FETCH : random.nextInt(2) * ReferencePaging.WRITE;
        if (random.nextBoolean()) access |= ReferencePaging.USER;
        int size = 1 << random.nextInt(4);
        // Seldom the same place twice, but often the same page.
        int i = random.nextInt(3) == 0 ? random.nextInt(guest.poolSize()) : recent;
        recent = random.nextInt(4) == 0 ? random.nextInt(guest.poolSize()) : i;
        long value = (access & ReferencePaging.WRITE) == 0 ? 0 : random.nextInt(4) == 0 ? entry() : random.nextLong();
        guest.access(i % guest.poolSize(), random.nextInt(4096) & -size, size, access, size == 8 ? value : value & (1L << 8 * size) - 1, random.nextBoolean());
    }

    private int recent;

    /** A write of an entry by the kernel, through a page that maps a table, if there is one. */
    private void guestWritesItsTables() {
        int start = random.nextInt(guest.poolSize());
        for (int n = 0; n < guest.poolSize(); n++) {
            int i = (start + n) % guest.poolSize();
            var t = guest.current(i);
            if (t == null || t.frame() >= TABLES || t.user() && guest.paging.smap || !t.writable() && guest.paging.wp) continue;
            guest.access(i, index() * entrySize(), entrySize(), ReferencePaging.WRITE, t.frame() == PDPT ? pdpte() : entry(), true);
            if (random.nextInt(3) != 0) guest.invlpg(guest.page(random.nextInt(guest.poolSize())));
            return;
        }
    }

    /** An entry on the way to the page that was accessed last changes, by DMA; then it is accessed again, often without INVLPG. */
    private void changeRecent() {
        ReferencePaging p = guest.paging;
        int i = recent % guest.poolSize();
        p.walk(guest.page(i));
        if (p.entries == 0) return;
        long at = p.entryAt[random.nextInt(3) == 0 ? random.nextInt(p.entries) : p.entries - 1];
        if (!guest.memory.present(at) || guest.memory.rom(at)) return;
        guest.dma(at, entrySize(), random.nextBoolean() ? entry() : guest.memory.read(at, entrySize()) ^ 1L << random.nextInt(9));
        if (random.nextInt(4) == 0) guest.invlpg(guest.page(i));
        access();
    }

    /** An entry is written by DMA, where walks will find it. */
    private void writeEntry() {
        int table = random.nextInt(TABLES);
        guest.dma(((long) table << 12) + index() * entrySize(), entrySize(), table == PDPT ? pdpte() : entry());
    }

    private int entrySize() {
        return mode == 2 ? 4 : 8;
    }

    private int index() {
        int[] often = mode == 2 ? new int[] {0, 1, 2, 3, 0x100, 0x200, 0x201, 0x3ff} : new int[] {0, 1, 2, 3, 511};
        return often[random.nextInt(often.length)];
    }

    private long entry() {
        long gfn = switch (random.nextInt(16)) {
            case 0, 1, 2, 3, 4, 5, 6, 7, 11, 12, 13 -> random.nextInt(TABLES);
            case 8 -> 0x200 + random.nextInt(8);
            case 9 -> 0x300 + random.nextInt(8);
            case 10 -> 0x800 + random.nextInt(4);
            case 14 -> mode == 2 ? 0x61 : 0x10_0000 + random.nextInt(16);
            default -> random.nextInt(CheckedGuest.RAM_PAGES);
        };
        long e = gfn << 12 | random.nextInt(1 << 12) & 0x17f;
        if (random.nextInt(24) != 0) e |= 1;
        if (random.nextInt(6) != 0) e |= 6;
        if (random.nextInt(8) == 0) e = large(e);
        if (mode != 2 && random.nextInt(16) == 0) e |= 1L << 63;
        if (mode != 2 && random.nextInt(200) == 0) e |= 1L << 36 + random.nextInt(27);
        return e;
    }

    /** Low or high memory; now and then a reserved bit. */
    private long large(long e) {
        e = e & 0xfff | 0x80;
        if (random.nextInt(3) == 0) e |= mode == 2 ? 1 << 13 : CheckedGuest.HIGH;
        if (random.nextInt(10) == 0) e |= 1L << 12 + random.nextInt(10);
        return e;
    }

    /** Reserved bits are rare, for a load of CR3 reads four. */
    private long pdpte() {
        return (long) random.nextInt(TABLES) << 12 | (random.nextInt(6) == 0 ? 0 : 1) | (random.nextInt(200) == 0 ? 2 : 0);
    }

    private long root() {
        if (mode == 3) return (long) PDPT << 12 | random.nextInt(2) * 32;
        return (long) random.nextInt(TABLES) << 12 | random.nextInt(4) << 3;
    }

    /** One control register changes, within the mode. */
    private void registers() {
        CpuState s = guest.s;
        switch (random.nextInt(8)) {
            case 0, 1 -> guest.setCr0(s.cr0 ^ CpuState.CR0_WP);
            case 2 -> guest.setCr0(s.cr0 ^ CpuState.CR0_CD);
            case 3 -> guest.setCr4(s.cr4 & ~(CpuState.CR4_SMEP | CpuState.CR4_SMAP) ^ CpuState.CR4_PSE);
            case 4 -> guest.setCr4(s.cr4 & ~(CpuState.CR4_SMEP | CpuState.CR4_SMAP) ^ CpuState.CR4_PGE);
            case 5 -> {
                if (mode >= 3) guest.setEfer(s.efer & ~CpuState.EFER_LMA ^ CpuState.EFER_NX);
            }
            default -> guest.setCr4FromOutside(s.cr4 ^ (random.nextBoolean() ? CpuState.CR4_SMEP : CpuState.CR4_SMAP));
        }
    }
}
