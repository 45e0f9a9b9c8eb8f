package org.backplane.kvm.spi.mmu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The walk against a model that is written from the SDM's tables in the dullest way, over random tables; and rules one by one. */
class GuestWalkTest {
    private static final int PAGES = 32;
    private static final int R = 0, W = 2, U = 4, F = 16;

    private TestMemory memory;
    private VcpuContext v;
    private CpuState s;
    private final GuestWalk walk = new GuestWalk();
    private GuestWalk.Memory over;

    @BeforeEach
    void create() {
        memory = new TestMemory().ram(0, PAGES << 12).slot(0x100000, 4 << 12, true, false);
        v = new VcpuContext(0, memory, null);
        s = v.state;
        s.reset();
        over = GuestWalk.over(memory);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private void mode32() {
        s.cr0 = CpuState.CR0_PE | CpuState.CR0_PG | CpuState.CR0_WP;
        s.cr3 = 0x1000;
        s.cr4 = CpuState.CR4_PSE;
    }

    private void modePae() {
        mode32();
        s.cr4 = CpuState.CR4_PAE;
        s.efer = CpuState.EFER_NX;
        v.guestPdpte[0] = 0x2001;
    }

    private void mode64() {
        modePae();
        s.efer |= CpuState.EFER_LME | CpuState.EFER_LMA;
    }

    private int walk(long gva, int access) {
        return walk.walk(v, over, gva, access, true);
    }

    private void fault(long gva, int access, int error) {
        assertEquals(GuestWalk.FAULT, walk(gva, access));
        assertEquals(error, walk.errorCode);
    }

    @Test
    void withoutPagingGvaIsGpa() {
        assertEquals(GuestWalk.OK, walk(0x12345678, W | F));
        assertEquals(0x12345678, walk.gpa);
        assertEquals(0, walk.levels);
    }

    @Test
    void accessedAndDirtyAreSetOnlyByAnAllowedAccess() {
        mode32();
        memory.write(0x1000, 4, 0x2007);
        memory.write(0x2000, 4, 0x5005);
        fault(0, W | U, 7);
        assertEquals(0x2007, memory.read(0x1000, 4));
        assertEquals(0x5005, memory.read(0x2000, 4));
        assertEquals(GuestWalk.OK, walk(0, U));
        assertEquals(0x2027, memory.read(0x1000, 4));
        assertEquals(0x5025, memory.read(0x2000, 4));
        assertFalse(walk.dirty);
        memory.write(0x2000, 4, 0x5027);
        assertEquals(GuestWalk.OK, walk(0, W | U));
        assertEquals(0x5067, memory.read(0x2000, 4));
        assertEquals(0x2027, memory.read(0x1000, 4));
        assertTrue(walk.dirty);
    }

    /** The PDPTEs are registers; where they were loaded from nothing is stored. */
    @Test
    void paePointerEntriesHaveNoAccessedBit() {
        modePae();
        memory.write(0x1000, 8, 0x2001);
        memory.write(0x2000, 8, 0x3007);
        memory.write(0x3000, 8, 0x5007);
        assertEquals(GuestWalk.OK, walk(0, W));
        assertEquals(0x2001, memory.read(0x1000, 8));
        assertEquals(0x3027, memory.read(0x2000, 8));
        assertEquals(0x5067, memory.read(0x3000, 8));
        assertEquals(0x2001, v.guestPdpte[0]);
    }

    @Test
    void probeChangesNothing() {
        mode32();
        memory.write(0x1000, 4, 0x2007);
        memory.write(0x2000, 4, 0x5007);
        int door = memory.doorCalls;
        assertEquals(GuestWalk.OK, walk.walk(v, over, 0x123, W, false));
        assertEquals(0x5123, walk.gpa);
        assertEquals(0x5007, memory.read(0x2000, 4));
        assertEquals(door, memory.doorCalls);
    }

    @Test
    void tableInReadOnlyMemoryKeepsItsBits() {
        mode32();
        s.cr3 = 0x100000;
        memory.write(0x100000, new byte[] {0x07, 0x20, 0, 0}, 0, 4);
        memory.write(0x2000, 4, 0x5007);
        assertEquals(GuestWalk.OK, walk(0, R));
        assertEquals(0x2007, memory.read(0x100000, 4));
        assertEquals(0x5027, memory.read(0x2000, 4));
    }

    @Test
    void tableOutsideOfMemoryIsNotPresent() {
        mode32();
        s.cr3 = 0x80000000L;
        fault(0x400000, W, 2);
    }

    @Test
    void supervisorWritesReadOnlyPagesOnlyWithoutWp() {
        mode32();
        memory.write(0x1000, 4, 0x2007);
        memory.write(0x2000, 4, 0x5005);
        fault(0, W, 3);
        s.cr0 &= ~CpuState.CR0_WP;
        assertEquals(GuestWalk.OK, walk(0, W));
        fault(0, W | U, 7);
    }

    @Test
    void pse36PagesHaveAddressBitsAbove32() {
        mode32();
        memory.write(0x1004, 4, 0x00c00083L | 0xaL << 13);
        assertEquals(GuestWalk.OK, walk(0x400000 + 0x12345, R));
        assertEquals(0xa_00c12345L, walk.gpa);
        assertEquals(22, walk.pageShift);
        memory.write(0x1004, 4, 0x00c00083L | 1 << 17);
        fault(0x400000, R, 9);
        s.cr4 = 0;
        assertEquals(GuestWalk.FAULT, walk(0x400000, R), "PS is ignored without CR4.PSE: the entry names a table");
        assertEquals(0, walk.errorCode);
    }

    @Test
    void fetchBitOfTheErrorCodeNeedsNxOrSmep() {
        mode32();
        fault(0, F, 0);
        s.cr4 |= CpuState.CR4_SMEP;
        fault(0, F, 0x10);
        modePae();
        fault(0, F, 0x10);
        s.efer = 0;
        fault(0, F, 0);
    }

    @Test
    void noExecuteForbidsFetchesAndIsReservedWithoutNxe() {
        modePae();
        memory.write(0x2000, 8, 0x3007);
        memory.write(0x3000, 8, 0x5007 | 1L << 63);
        assertEquals(GuestWalk.OK, walk(0, W));
        fault(0, F | U, 0x15);
        s.efer = 0;
        fault(0, R, 9);
    }

    @Test
    void smepAndSmapShutUserPagesToTheSupervisor() {
        mode32();
        memory.write(0x1000, 4, 0x2007);
        memory.write(0x2000, 4, 0x5007);
        s.cr4 |= CpuState.CR4_SMEP | CpuState.CR4_SMAP;
        fault(0, F, 0x11);
        fault(0, R, 1);
        s.setRflags(CpuState.AC);
        assertEquals(GuestWalk.OK, walk(0, R));
        fault(0, F, 0x11);
        s.cpl = 3;
        fault(0, R, 1);
        assertEquals(GuestWalk.OK, walk(0, R | U));
    }

    @Test
    void pdptesAreLoadedOnlyIfAllAreValid() {
        long[] to = {9, 9, 9, 9};
        memory.write(0x1020, 8, 0x2001);
        memory.write(0x1028, 8, 0x3001 | 1 << 5);
        assertFalse(GuestWalk.loadPdptes(memory, 0x1020, to));
        assertArrayEquals(new long[] {9, 9, 9, 9}, to);
        memory.write(0x1028, 8, 0x3000 | 1 << 5);
        assertTrue(GuestWalk.loadPdptes(memory, 0x1020, to));
        assertArrayEquals(new long[] {0x2001, 0x3020, 0, 0}, to);
    }

    @Test
    void abortOfTheMemoryEndsTheWalk() {
        mode64();
        GuestWalk.Memory refusing = new GuestWalk.Memory() {
            @Override
            public long host(long gpa) {
                return gpa >= 0x2000 ? -1 : memory.host(gpa);
            }

            @Override
            public long hostForUpdate(long gpa) {
                return -1;
            }
        };
        memory.write(0x1000, 8, 0x2007);
        assertEquals(GuestWalk.ABORTED, walk.walk(v, refusing, 0, R, true));
    }

    // ---- random tables ----

    /** What the model finds. */
    private long modelGpa;

    private int modelError;
    private boolean modelGlobal;

    @Test
    void agreesWithTheModelOverRandomTables() {
        Random random = new Random(20070205);
        int[] answers = new int[3];
        for (int n = 0; n < 60_000; n++) {
            if (n % 64 == 0) randomTables(random, n / 64 % 4);
            long gva = randomAddress(random);
            int access = (random.nextBoolean() ? W : R) | (random.nextBoolean() ? U : 0) | (random.nextInt(4) == 0 ? F : 0);
            if ((access & F) != 0) access &= ~W;
            boolean ok = model(gva, access);
            int answer = walk.walk(v, over, gva, access, false);
            String where = String.format("round %d levels %d gva %x access %x", n, walk.levels, gva, access);
            answers[answer]++;
            if (ok) {
                assertEquals(GuestWalk.OK, answer, where);
                assertEquals(modelGpa, walk.gpa, where);
                assertEquals(modelGlobal, walk.global, where);
            } else {
                assertEquals(GuestWalk.FAULT, answer, where);
                assertEquals(modelError, walk.errorCode, where);
            }
        }
        assertTrue(answers[GuestWalk.OK] > 5000 && answers[GuestWalk.FAULT] > 5000, answers[0] + " " + answers[1]);
    }

    private void randomTables(Random random, int kind) {
        s.cr0 = CpuState.CR0_PE | CpuState.CR0_PG | (random.nextBoolean() ? CpuState.CR0_WP : 0);
        s.cr4 = (random.nextBoolean() ? CpuState.CR4_PGE : 0) | (random.nextInt(4) == 0 ? CpuState.CR4_SMEP : 0);
        s.cr3 = 0;
        s.efer = random.nextBoolean() ? CpuState.EFER_NX : 0;
        int size = kind < 2 ? 4 : 8;
        if (kind == 1) s.cr4 |= CpuState.CR4_PSE;
        if (kind >= 2) s.cr4 |= CpuState.CR4_PAE;
        if (kind == 3) s.efer |= CpuState.EFER_LME | CpuState.EFER_LMA;
        for (long at = 0; at < PAGES << 12; at += size) memory.write(at, size, randomEntry(random, size));
        for (int i = 0; i < 4; i++) v.guestPdpte[i] = (long) random.nextInt(PAGES) << 12 | (random.nextInt(5) == 0 ? 0 : 1);
    }

    private static long randomEntry(Random random, int size) {
        long e = (long) random.nextInt(PAGES) << 12 | random.nextInt(1 << 12) & 0x37f;
        if (random.nextInt(8) != 0) e |= 1;
        if (random.nextInt(3) != 0) e |= 6;
        if (random.nextInt(6) == 0) {
            // A large page, with some address bits that are reserved for some sizes.
            e = e & 0xfff | 0x80 | (long) random.nextInt(4) << 22;
            if (random.nextInt(3) == 0) e |= 1L << 12 + random.nextInt(18);
        }
        if (size == 8) {
            if (random.nextInt(12) == 0) e |= 1L << 63;
            if (random.nextInt(40) == 0) e |= 1L << 32 + random.nextInt(31);
        }
        return e;
    }

    private long randomAddress(Random random) {
        long gva = random.nextLong();
        return s.longModeActive() ? gva << 16 >> 16 : gva & 0xffffffffL;
    }

    /** SDM 3A 4.3 to 4.7, read as a lawyer would. */
    private boolean model(long gva, int access) {
        boolean pae = (s.cr4 & CpuState.CR4_PAE) != 0;
        boolean ia32e = s.longModeActive();
        boolean nxe = (s.efer & CpuState.EFER_NX) != 0;
        boolean smep = (s.cr4 & CpuState.CR4_SMEP) != 0;
        int base = (access & W) | (access & U) | ((access & F) != 0 && (pae && nxe || smep) ? 16 : 0);
        int levels = ia32e ? 4 : pae ? 3 : 2;
        int bits = pae ? 9 : 10;
        boolean user = true, writable = true, executable = true;
        long table = s.cr3;
        for (int level = levels; ; level--) {
            int index = (int) (gva >>> 12 + bits * (level - 1)) & (1 << bits) - 1;
            long e;
            if (level == 3 && levels == 3) {
                e = v.guestPdpte[index & 3];
            } else {
                long at = table + index * (pae ? 8 : 4);
                e = memory.host(at) == 0 ? 0 : memory.read(at, pae ? 8 : 4);
            }
            if ((e & 1) == 0) {
                modelError = base;
                return false;
            }
            if (level == 3 && levels == 3) {
                table = e & 0x000ffffffffff000L;
                continue;
            }
            boolean large = (e & 0x80) != 0 && (level == 2 && (pae || (s.cr4 & CpuState.CR4_PSE) != 0) || level == 3);
            boolean reserved = false;
            if (pae) {
                for (int bit = 36; bit <= 51; bit++) reserved |= (e >>> bit & 1) != 0;
                if (!ia32e) for (int bit = 52; bit <= 62; bit++) reserved |= (e >>> bit & 1) != 0;
                if (!nxe) reserved |= e < 0;
                if (level == 4) reserved |= (e & 0x80) != 0;
                if (large) for (int bit = 13; bit < 12 + 9 * (level - 1); bit++) reserved |= (e >>> bit & 1) != 0;
            } else if (large) {
                for (int bit = 17; bit <= 21; bit++) reserved |= (e >>> bit & 1) != 0;
            }
            if (reserved) {
                modelError = base | 9;
                return false;
            }
            user &= (e & 4) != 0;
            writable &= (e & 2) != 0;
            if (pae) executable &= e >= 0;
            if (large || level == 1) {
                long size = 1L << 12 + bits * (level - 1);
                long address = e & 0x000ffffffffff000L & -size;
                if (!pae && large) address |= (e >>> 13 & 15) << 32;
                modelGpa = address + gva % size;
                if (gva < 0) modelGpa = address + Math.floorMod(gva, size);
                modelGlobal = (e & 0x100) != 0 && (s.cr4 & CpuState.CR4_PGE) != 0;
                break;
            }
            table = e & (pae ? 0x000ffffffffff000L : 0xfffff000L);
        }
        boolean allowed;
        if ((access & U) != 0) allowed = user && (writable || (access & W) == 0);
        else allowed = writable || (access & W) == 0 || (s.cr0 & CpuState.CR0_WP) == 0;
        if ((access & F) != 0) {
            allowed &= executable;
            if (smep && user && (access & U) == 0) allowed = false;
        }
        modelError = base | 1;
        return allowed;
    }

    @Test
    void addressSpaceConstantsAreThoseOfIntercepts() {
        assertEquals(W, Intercepts.WRITE);
        assertEquals(U, Intercepts.USER);
        assertEquals(F, Intercepts.FETCH);
    }
}
