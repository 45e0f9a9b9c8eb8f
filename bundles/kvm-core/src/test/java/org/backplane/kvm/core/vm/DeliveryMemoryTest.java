package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HexFormat;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.api.Vm;
import org.backplane.kvm.spi.cpu.CpuState;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Where the delivery of an event reaches memory that is none: as a processor has it, a ROM drops what is written, a device gets the accesses, and the
 * instruction that was interrupted has nothing to do with it.
 */
@Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DeliveryMemoryTest {
    private static final int VECTOR = 0x21, HANDLER = 0x1100, IDT = 0x3000, GDT = 0x4000, ROM = 0x200000;
    private static final long DEVICE = 0xfff00000L;
    private static final byte[] GATE = HexFormat.of().parseHex("00111000008e0000");

    private final HandMadeVm machine = new HandMadeVm();

    @AfterEach
    void close() {
        machine.close();
    }

    /** STI, and two times INC ECX: the interrupt comes between them. Its handler halts. */
    private void boot(String mmu, long stack, long gdt, long idt) {
        machine.boot(mmu, "fb 41 41 f4");
        machine.vm.setMemoryRegion(1, Vm.MEM_READONLY, ROM, 4096);
        machine.vm.writeMemory(HANDLER, new byte[] {(byte) 0xf4});
        machine.vm.writeMemory(IDT + VECTOR * 8, GATE);
        byte[] code = HexFormat.of().parseHex("ffff0000009acf00");
        machine.vm.writeMemory(GDT + 0x10, code);
        machine.vm.writeMemory(ROM + 0x10, code);
        KvmSregs s = machine.vcpu.getSregs();
        s.idt = new KvmSregs.Table(idt, 0x7ff);
        s.gdt = new KvmSregs.Table(gdt, 0x1f);
        machine.vcpu.setSregs(s);
        KvmRegs r = machine.vcpu.getRegs();
        r.gpr[KvmRegs.RSP] = stack;
        machine.vcpu.setRegs(r);
        machine.vcpu.interrupt(VECTOR);
    }

    private void assertInHandler(long stack) {
        assertEquals(HANDLER + 1, machine.rip());
        assertEquals(stack - 12, machine.vcpu.getRegs().gpr[KvmRegs.RSP]);
        assertEquals(1, machine.vcpu.getRegs().gpr[KvmRegs.RCX], "the interrupted instruction was not executed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aStackInRomDropsTheFrame(String mmu) {
        boot(mmu, ROM + 0x800, GDT, IDT);
        machine.run(Exit.HLT);
        assertInHandler(ROM + 0x800);
        assertArrayEquals(new byte[12], machine.vm.readMemory(ROM + 0x800 - 12, 12));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aDescriptorInRomStaysWithoutItsAccessedBit(String mmu) {
        boot(mmu, 0x8000, ROM, IDT);
        machine.run(Exit.HLT);
        assertInHandler(0x8000);
        assertEquals(0x9a, machine.vm.readMemory(ROM + 0x15, 1)[0] & 0xff);
        assertEquals(0x9b, machine.vcpu.context().state.segAr[CpuState.CS] & 0xff);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aStackInADeviceGetsTheFrame(String mmu) {
        boot(mmu, DEVICE + 0x800, GDT, IDT);
        long[] frame = {0x202, 0x10, HandMadeVm.CODE + 2};
        for (int i = 0; i < 3; i++) {
            KvmRun run = machine.run(Exit.MMIO);
            assertTrue(run.mmioWrite);
            assertEquals(DEVICE + 0x800 - 4 * (i + 1), run.mmioAddress);
            assertEquals(4, run.mmioLength);
            assertEquals(frame[i], run.dataValue(4));
        }
        machine.run(Exit.HLT);
        assertInHandler(DEVICE + 0x800);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aTableInADeviceIsReadFromIt(String mmu) {
        boot(mmu, 0x8000, GDT, DEVICE);
        KvmRun run = machine.run(Exit.MMIO);
        assertFalse(run.mmioWrite);
        assertEquals(DEVICE + VECTOR * 8, run.mmioAddress);
        assertEquals(8, run.mmioLength);
        assertEquals(HandMadeVm.CODE + 2, machine.rip());
        System.arraycopy(GATE, 0, run.data, 0, 8);
        machine.run(Exit.HLT);
        assertInHandler(0x8000);
    }

    /** A root stays shadowed whatever is written to it: the frame is written as an emulated instruction would write it. */
    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aStackInThePageDirectoryInUseGetsTheFrame(String mmu) {
        boot(mmu, 0x5800, GDT, IDT);
        for (int i = 0; i < 256; i++) machine.vm.memory().write(0x6000 + i * 4, 4, (long) i << 12 | 3);
        machine.vm.memory().write(0x5000, 4, 0x6003);
        KvmSregs s = machine.vcpu.getSregs();
        s.cr3 = 0x5000;
        s.cr0 |= 0x80010000L;
        machine.vcpu.setSregs(s);
        machine.run(Exit.HLT);
        assertInHandler(0x5800);
        assertEquals(HandMadeVm.CODE + 2, machine.vm.memory().read(0x5800 - 12, 4));
        assertEquals(0x10, machine.vm.memory().read(0x5800 - 8, 4));
        assertEquals(0x202, machine.vm.memory().read(0x5800 - 4, 4));
        assertEquals(0, machine.vm.auditor().audit().violationCount());
    }
}
