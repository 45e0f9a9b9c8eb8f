package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.backplane.kvm.core.cpu.Msrs;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The memory callbacks of {@code emulateOne}, over a guest with shadow paging: directory at 0x2000, its table at 0x3000, mapped at its own address. */
class EmulationOpsTest {
    private static final long TABLE = 0x3000;

    private final HandMadeVm machine = new HandMadeVm();
    private VcpuContext v;
    private EmulationOps ops;
    private UserExit user;

    @BeforeEach
    void create() {
        machine.boot("shadow", "f4");
        v = machine.vcpu.context();
        machine.vm.memory().write(0x2000, 4, TABLE | 7);
        for (int i = 0; i < 16; i++) machine.vm.memory().write(TABLE + i * 4, 4, (long) i << 12 | 7);
        v.state.cr3 = 0x2000;
        v.state.cr0 |= CpuState.CR0_PG | CpuState.CR0_WP;
        machine.vcpu.stateChanged();
        VcpuExits exits = new VcpuExits(machine.vcpu, machine.vm);
        Msrs msrs = new Msrs(v.state, machine.vcpu.control(), machine.vcpu.cpuid(), () -> 0);
        user = new UserExit(v, machine.vcpu.kvmRun());
        exits.connect(v, machine.vcpu.control(), msrs, user);
        ops = new EmulationOps(exits, machine.vm, msrs);
    }

    @AfterEach
    void close() {
        machine.close();
    }

    private long memory(long gpa, int size) {
        return machine.vm.memory().read(gpa, size);
    }

    /** Has the shadow a present leaf for a page? */
    private boolean shadowed(long gva) {
        return machine.vm.mmu().view().walk(v, gva).getLast().spte() != 0 && machine.vm.mmu().view().walk(v, gva).getLast().level() == 1;
    }

    @Test
    void writeToAShadowedTableDropsWhatWasMadeOfTheEntry() {
        machine.vm.mmu().fault(v, 0x5000, 0);
        machine.vm.mmu().fault(v, 0x6000, 0);
        assertTrue(shadowed(0x5000) && shadowed(0x6000));
        assertEquals(Emulator.CONTINUE, ops.writeEmulated(v, TABLE + 5 * 4, 4, 0x7067, 0));
        assertEquals(0x7067, memory(TABLE + 5 * 4, 4));
        assertTrue(!shadowed(0x5000) && shadowed(0x6000));
        assertEquals(0, machine.vm.auditor().audit().violationCount());
    }

    @Test
    void compareAndExchangeOfAShadowedEntryDropsWhatWasMadeOfIt() {
        machine.vm.mmu().fault(v, 0x5000, 0);
        long old = memory(TABLE + 5 * 4, 4);
        assertEquals(Emulator.CONTINUE, ops.cmpxchgEmulated(v, TABLE + 5 * 4, 4, old, 0x7067, 0));
        assertEquals(0x7067, memory(TABLE + 5 * 4, 4));
        assertTrue(!shadowed(0x5000));
    }

    @Test
    void compareAndExchangeThatFailsTellsWhatItFoundAndStoresNothing() {
        for (int size = 1; size <= 8; size *= 2) {
            machine.vm.memory().write(0x8000, 8, 0x8877665544332211L);
            assertEquals(Emulator.CMPXCHG_FAILED, ops.cmpxchgEmulated(v, 0x8000, size, 0, 1, 0));
            assertEquals(0x8877665544332211L & -1L >>> 64 - 8 * size, v.ioValue);
            assertEquals(0x8877665544332211L, memory(0x8000, 8));
        }
    }

    @Test
    void compareAndExchangeStoresItsSizeAtAnyAddress() {
        for (int offset = 0; offset < 8; offset++) {
            for (int size = 1; size <= 8; size *= 2) {
                machine.vm.memory().write(0x8000, 8, -1L);
                machine.vm.memory().write(0x8008, 8, -1L);
                long mask = -1L >>> 64 - 8 * size;
                assertEquals(Emulator.CONTINUE, ops.cmpxchgEmulated(v, 0x8000 + offset, size, -1L, 0x0102030405060708L, 0));
                assertEquals(0x0102030405060708L & mask, memory(0x8000 + offset, size));
                if (offset > 0) assertEquals(-1L >>> 64 - 8 * offset, memory(0x8000, 8) & -1L >>> 64 - 8 * offset);
                assertEquals(0xff, memory(0x8000 + offset + size, 1));
            }
        }
    }

    @Test
    void compareAndExchangeAcrossPagesReachesBoth() {
        machine.vm.memory().write(0x8ffe, 4, 0x44332211);
        assertEquals(Emulator.CMPXCHG_FAILED, ops.cmpxchgEmulated(v, 0x8ffe, 4, 0, 0, 0));
        assertEquals(0x44332211, v.ioValue);
        assertEquals(Emulator.CONTINUE, ops.cmpxchgEmulated(v, 0x8ffe, 4, 0x44332211, 0xaabbccddL, 0));
        assertEquals(0xccdd, memory(0x8ffe, 2));
        assertEquals(0xaabb, memory(0x9000, 2));
    }

    /** Enough for two processors to meet, also on a host that has others to serve. */
    private static final int STEPS = 3_000_000;

    /** Another thread counts in the same double word; not one of its steps may be lost. */
    @Test
    void compareAndExchangeIsAtomic() throws InterruptedException {
        long host = machine.vm.memory().host(0x8000);
        AtomicBoolean stop = new AtomicBoolean();
        AtomicLong steps = new AtomicLong();
        Thread other = new Thread(() -> {
            while (!stop.get()) {
                long found = HostMemory.get(host, 4);
                if (HostMemory.compareAndExchange(host, 4, found, found + 0x10000) == found) steps.lazySet(steps.get() + 1);
            }
        });
        other.start();
        long mine = 0;
        long deadline = System.nanoTime() + 20_000_000_000L;
        // Both must have had their turns, side by side if there are two processors.
        while ((mine < STEPS || steps.get() < STEPS) && System.nanoTime() < deadline) {
            long found = memory(0x8000, 4);
            if (ops.cmpxchgEmulated(v, 0x8000, 4, found, found & 0xffff0000L | found + 1 & 0xffff, 0) == Emulator.CONTINUE) mine++;
        }
        stop.set(true);
        other.join();
        assertTrue(mine >= STEPS && steps.get() >= STEPS, mine + " and " + steps);
        assertEquals(mine & 0xffff, memory(0x8000, 2));
        assertEquals(steps.get() & 0xffff, memory(0x8002, 2));
    }

    @Test
    void writeAcrossPagesChangesNothingWhenTheSecondPageFaults() {
        machine.vm.memory().write(TABLE + 9 * 4, 4, 0);
        machine.vm.memory().write(0x8ffc, 4, 0x11111111);
        assertEquals(Emulator.PROPAGATE_FAULT, ops.writeEmulated(v, 0x8ffd, 4, -1L, 0));
        assertEquals(0x9000, v.state.cr2);
        assertEquals(0x11111111, memory(0x8ffc, 4));
    }

    @Test
    void accessesAcrossPagesReachBoth() {
        for (int first = 1; first < 8; first++) {
            assertEquals(Emulator.CONTINUE, ops.writeEmulated(v, 0x9000 - first, 8, 0x8877665544332211L, 0));
            assertEquals(Emulator.CONTINUE, ops.readEmulated(v, 0x9000 - first, 8, 0));
            assertEquals(0x8877665544332211L, v.ioValue);
            assertEquals(0x11, memory(0x9000 - first, 1));
            assertEquals(0x88, memory(0x9000 - first + 7, 1));
        }
    }

    /** Neighbours in linear memory that are none in physical memory. */
    @Test
    void accessAcrossPagesGoesToBothPagesOfTheTables() {
        machine.vm.memory().write(TABLE + 9 * 4, 4, 0xc007);
        machine.vm.memory().write(0x9000, 8, 0);
        assertEquals(Emulator.CONTINUE, ops.writeEmulated(v, 0x8ffd, 8, 0x8877665544332211L, 0));
        assertEquals(0x332211, memory(0x8ffd, 2) | memory(0x8fff, 1) << 16);
        assertEquals(0x8877665544L, memory(0xc000, 8));
        assertEquals(0, memory(0x9000, 8), "the physical neighbour");
        assertEquals(Emulator.CONTINUE, ops.readEmulated(v, 0x8ffd, 8, 0));
        assertEquals(0x8877665544332211L, v.ioValue);
    }

    @Test
    void accessAcrossTheEndOf4GibGoesOnAtZero() {
        machine.vm.memory().write(0x2000 + 1023 * 4, 4, 0xe007);
        machine.vm.memory().write(0xe000 + 1023 * 4, 4, 0xd007);
        assertEquals(Emulator.CONTINUE, ops.writeEmulated(v, 0xfffffffeL, 4, 0x44332211, 0));
        assertEquals(0x2211, memory(0xdffe, 2));
        assertEquals(0x4433, memory(0, 2));
        assertEquals(Emulator.CONTINUE, ops.readEmulated(v, 0xfffffffeL, 4, 0));
        assertEquals(0x44332211, v.ioValue);
        machine.vm.memory().write(TABLE, 4, 0);
        v.state.cr2 = -1;
        assertEquals(Emulator.PROPAGATE_FAULT, ops.readEmulated(v, 0xfffffffeL, 4, 0));
        assertEquals(0, v.state.cr2);
    }

    @Test
    void writeFromMemoryIntoADeviceIsSplitAtThePage() {
        machine.vm.memory().write(TABLE + 9 * 4, 4, 0xfee00007L);
        assertEquals(Emulator.CONTINUE, ops.writeEmulated(v, 0x8ffd, 4, 0x44332211, 0));
        assertEquals(0x332211, memory(0x8ffc, 4) >>> 8);
        assertTrue(user.pending());
        assertEquals(0xfee00000L, machine.vcpu.kvmRun().mmioAddress);
        assertEquals(1, machine.vcpu.kvmRun().mmioLength);
        assertTrue(machine.vcpu.kvmRun().mmioWrite);
        assertEquals(0x44, machine.vcpu.kvmRun().dataValue(1));
    }

    @Test
    void readFromMemoryIntoADeviceAsksForTheDevicesPartAndIsRunAgain() {
        machine.vm.memory().write(TABLE + 9 * 4, 4, 0xfee00007L);
        machine.vm.memory().write(0x8ffc, 4, 0x33221100);
        assertEquals(Emulator.RETRY, ops.readEmulated(v, 0x8ffd, 4, 0));
        assertEquals(0xfee00000L, machine.vcpu.kvmRun().mmioAddress);
        assertEquals(1, machine.vcpu.kvmRun().mmioLength);
        machine.vcpu.kvmRun().setData(1, 0x44);
        user.complete();
        assertEquals(Emulator.CONTINUE, ops.readEmulated(v, 0x8ffd, 4, 0));
        assertEquals(0x44332211, v.ioValue);
    }

    @Test
    void writeNeedsTheGuestsPermissionAndSetsItsDirtyBit() {
        machine.vm.memory().write(TABLE + 5 * 4, 4, 0x5005);
        assertEquals(Emulator.PROPAGATE_FAULT, ops.writeEmulated(v, 0x5010, 4, 1, 0));
        assertEquals(14, v.faultVector);
        assertEquals(3, v.faultError);
        assertEquals(0x5010, v.state.cr2);
        assertEquals(Emulator.PROPAGATE_FAULT, ops.cmpxchgEmulated(v, 0x5010, 4, 0, 1, 0));
        assertEquals(3, v.faultError);
        assertEquals(Emulator.CONTINUE, ops.readEmulated(v, 0x5010, 4, 0));
        assertEquals(0x5025, memory(TABLE + 5 * 4, 4));
        assertEquals(Emulator.CONTINUE, ops.writeEmulated(v, 0x6010, 4, 1, 0));
        assertEquals(0x6067, memory(TABLE + 6 * 4, 4));
    }

    @Test
    void invlpgDropsTheLeafAndTheTlbsEntry() {
        machine.vm.mmu().fault(v, 0x5000, 0);
        v.tlb.fill(SoftTlb.SUPERVISOR, 0x5000, machine.vm.memory().host(0x5000), true, false, true, false);
        assertTrue(shadowed(0x5000));
        assertEquals(Emulator.CONTINUE, ops.invlpg(v, 0x5000));
        assertTrue(!shadowed(0x5000));
        assertTrue(v.tlb.contents().stream().noneMatch(e -> e.gva() == 0x5000));
    }

    @Test
    void invlpgDropsAllPartsOfALargePageAndNoOther() {
        cachePartsOfALargePage();
        assertEquals(Emulator.CONTINUE, ops.invlpg(v, 0x407000));
        assertEquals("[5000]", cached());
    }

    @Test
    void invlpgAsAnExitDoesTheSame() {
        cachePartsOfALargePage();
        v.exit.reason = ExitReasons.INVLPG;
        v.exit.qualification = 0x407000;
        assertEquals(Intercepts.DONE, v.exits.handle(v));
        assertEquals("[5000]", cached());
    }

    private void cachePartsOfALargePage() {
        long host = machine.vm.memory().host(0x5000);
        v.tlb.fill(SoftTlb.SUPERVISOR, 0x5000, host, true, false, true, false);
        for (long gva : new long[] {0x405000, 0x406000}) v.tlb.fill(SoftTlb.SUPERVISOR, gva, host, true, false, true, false, 22);
    }

    private String cached() {
        return v.tlb.contents().stream().map(e -> Long.toHexString(e.gva())).sorted().toList().toString();
    }
}
