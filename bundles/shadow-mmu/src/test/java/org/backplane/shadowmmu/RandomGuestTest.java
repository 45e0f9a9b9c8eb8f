package org.backplane.shadowmmu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.mmu.GuestWalk;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.testing.TestContext;
import org.backplane.kvm.testing.TestMemory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A guest that does everything to its page tables, at random: the {@link Audit} holds after every step, and every access gets what a walk of
 * the guest's tables gives.
 */
class RandomGuestTest {
    private static final int PAGES = 96, TABLES = 12;

    private TestMemory memory;
    private VcpuContext v;
    private CpuState s;
    private ShadowMmu mmu;
    private Processor cpu;
    private Audit audit;
    private Random random;
    private int mode;

    /** Id of the slot that comes and goes, -1 when it is not there. */
    private int extraSlot = -1;

    private final GuestWalk reference = new GuestWalk();
    private GuestWalk.Memory over;

    @ParameterizedTest(name = "guest levels {0}, seed {1}")
    @CsvSource({"0,1", "2,1", "2,2", "2,3", "3,1", "3,2", "4,1", "4,2", "9,1", "9,2"})
    void invariantsHoldAfterEveryStep(int guestMode, int seed) {
        mode = guestMode;
        random = new Random(seed);
        memory = new TestMemory().ram(0, PAGES << 12).slot(0x200000, 8 << 12, true, false).slot(0x300000, 8 << 12, false, true);
        TestContext context = new TestContext(memory);
        v = new VcpuContext(0, memory, null);
        context.vcpus.add(v);
        s = v.state;
        s.reset();
        s.cr0 |= CpuState.CR0_PE;
        mmu = new ShadowMmu(context, 64);
        memory.mmu = mmu;
        cpu = new Processor(memory, v, mmu);
        audit = new Audit(mmu);
        over = GuestWalk.over(memory);
        for (int i = 0; i < TABLES * 200; i++) writeEntry();
        for (int i = 0; i < 100; i++) crossLink();
        registers();
        for (int n = 0; n < 1500; n++) {
            step();
            audit.check();
        }
        audit.check();
        assertTrue(audit.checks > 20_000, "SPTEs compared: " + audit.checks);
        mmu.close();
        assertEquals(0, memory.frames().shadowFrames());
        memory.close();
    }

    private void step() {
        int dice = random.nextInt(100);
        if (dice < 78) access();
        else if (dice < 82) writeEntry();
        else if (dice < 86) crossLink();
        else if (dice < 88) memory.write(random.nextInt(PAGES << 12) & ~1L, 1 << random.nextInt(4), random.nextLong());
        else if (dice < 93) newCr3();
        else if (dice < 95) registers();
        else if (dice < 96) mmu.invlpg(v, address());
        else if (dice < 97) mmu.writeProtect(memory.slots().get(2));
        else if (dice < 98) v.tlb.flush(random.nextBoolean());
        else if (random.nextInt(6) == 0) changeSlots();
    }

    /** Memory comes where there was a device, goes again, or comes back as a ROM; or only A20 moved, and no slot changed. */
    private void changeSlots() {
        int dice = random.nextInt(4);
        if (extraSlot >= 0 && dice < 3) {
            memory.remove(extraSlot);
            extraSlot = -1;
        }
        if (extraSlot < 0 && dice < 2) {
            memory.slot(0x800000 + (random.nextInt(3) << 12), 2 << 12, random.nextBoolean(), random.nextBoolean());
            extraSlot = memory.slots().getLast().id();
        }
        mmu.slotsChanged();
    }

    /** The guest's memory, but for the small slots. */
    private byte[] ram() {
        byte[] bytes = new byte[PAGES << 12];
        HostMemory.copy(memory.host(0), bytes, 0, bytes.length);
        return bytes;
    }

    /** Sets the accessed and dirty bits that hardware sets for the access that was last walked (SDM 3A 4.8). */
    private void accessedAndDirty(byte[] ram, int access) {
        for (int l = reference.levels == 3 ? 2 : reference.levels; l >= reference.level; l--) {
            long at = reference.pteGpa[l];
            if (at < ram.length) ram[(int) at] |= (byte) (l == reference.level && (access & Processor.WRITE) != 0 ? 0x60 : 0x20);
        }
    }

    /** An access gives what a walk of the guest's tables gives. */
    private void access() {
        long gva = address();
        int access = random.nextInt(5) == 0 ? Processor.FETCH : random.nextInt(2) * Processor.WRITE;
        if (random.nextBoolean()) access |= Processor.USER;
        int expected = reference.walk(v, over, gva, access, false);
        long gpa = reference.gpa;
        int error = reference.errorCode;
        byte[] ram = ram();
        if (expected == GuestWalk.OK && reference.levels != 0) accessedAndDirty(ram, access);
        Mmu.Fault answer = cpu.access(gva, access);
        String where = String.format("gva %x access %x", gva, access);
        assertEquals(-1, Arrays.mismatch(ram, ram()), where + ": first byte of RAM that is not what hardware leaves");
        if (expected == GuestWalk.FAULT) {
            assertEquals(Mmu.Fault.GUEST, answer, where);
            assertEquals(error, v.faultError, where);
            return;
        }
        long frame = memory.frame(gpa >>> 12);
        switch (answer) {
            case FIXED -> {
                assertEquals(frame, cpu.leaf(gva) << 12 >>> 24, where);
                if ((access & Processor.WRITE) != 0 && memory.dirtyLogged(gpa >>> 12)) {
                    assertTrue(memory.dirty.get((int) (gpa >>> 12)), "a logged page was written without a mark");
                }
            }
            case MMIO -> {
                assertEquals(gpa, v.gpa, where);
                assertTrue(frame == 0 || memory.readOnly(gpa >>> 12), where);
            }
            case EMULATE -> {
                assertTrue(mmu.pages().shadowed(frame), where);
                memory.write(gpa & ~7L, 4, random.nextInt());
            }
            default -> throw new AssertionError(where + " the MMU injects a fault that the guest's tables do not");
        }
    }

    private long address() {
        long gva = (long) random.nextInt(4) << 30 | (long) random.nextInt(4) << 21 | random.nextInt(24) << 12 | random.nextInt(4096);
        if (mode == 4) gva |= (random.nextInt(3) - 1L) << 39;
        return mode == 4 ? gva : gva & 0xffffffffL;
    }

    private int entrySize() {
        return mode == 2 || mode == 9 && (s.cr4 & CpuState.CR4_PAE) == 0 ? 4 : 8;
    }

    /** The kernel changes an entry somewhere in its tables (pages 0 to TABLES). */
    private void writeEntry() {
        int size = entrySize();
        long table = (long) random.nextInt(TABLES) << 12;
        int index = random.nextInt(3) == 0 ? random.nextInt(4096 / size) : random.nextInt(24);
        memory.write(table + index * size, size, entry(size));
        if (random.nextInt(8) == 0) {
            // A burst: the table is being built.
            for (int i = 0; i < 6; i++) memory.write(table + (index + i) * size % 4096, size, entry(size));
        }
    }

    /** Makes an entry that leads to another table, where accesses will find it. */
    private void crossLink() {
        int size = entrySize();
        int index = random.nextInt(4) + (size == 4 ? 256 * random.nextInt(4) : 0);
        memory.write(((long) random.nextInt(TABLES) << 12) + index * size, size, (long) random.nextInt(TABLES) << 12 | 7);
    }

    private long entry(int size) {
        long gfn = switch (random.nextInt(8)) {
            case 0 -> random.nextInt(TABLES);
            case 1 -> 0x200 + random.nextInt(8);
            case 2 -> 0x300 + random.nextInt(8);
            case 3 -> 0x800 + random.nextInt(4);
            default -> random.nextInt(PAGES);
        };
        long e = gfn << 12 | random.nextInt(1 << 12) & 0x16f;
        if (random.nextInt(8) != 0) e |= 1;
        if (random.nextInt(3) != 0) e |= 6;
        if (random.nextInt(12) == 0) e = e & 0xfff | 0x80 | (long) random.nextInt(2) << 22;
        if (size == 8 && random.nextInt(8) == 0) e |= 1L << 63;
        return e;
    }

    private void newCr3() {
        s.cr3 = (long) random.nextInt(TABLES) << 12;
        load();
    }

    private void load() {
        if (mode == 3 || mode == 9) {
            for (int i = 0; i < 4; i++) v.guestPdpte[i] = (long) random.nextInt(TABLES) << 12 | (random.nextInt(8) == 0 ? 0 : 1);
        }
        mmu.setRoot(v);
        v.tlb.flush((s.cr4 & CpuState.CR4_PGE) != 0);
    }

    /** The control registers change, within the mode; mode 9 changes the mode, too. */
    private void registers() {
        int m = mode == 9 ? new int[] {0, 2, 3}[random.nextInt(3)] : mode;
        s.cr0 = CpuState.CR0_PE | (random.nextBoolean() ? CpuState.CR0_WP : 0) | (m == 0 ? 0 : CpuState.CR0_PG);
        s.cr4 = (random.nextBoolean() ? CpuState.CR4_PSE : 0) | (random.nextBoolean() ? CpuState.CR4_PGE : 0);
        if (m >= 3) s.cr4 |= CpuState.CR4_PAE;
        s.efer = m >= 3 && random.nextInt(4) != 0 ? CpuState.EFER_NX : 0;
        if (m == 4) s.efer |= CpuState.EFER_LME | CpuState.EFER_LMA;
        load();
        v.tlb.flush(false);
    }
}
