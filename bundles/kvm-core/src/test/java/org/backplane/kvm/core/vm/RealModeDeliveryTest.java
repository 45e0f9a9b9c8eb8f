package org.backplane.kvm.core.vm;

import static org.backplane.kvm.core.vm.RealModeVm.CODE;
import static org.backplane.kvm.core.vm.RealModeVm.SEGMENT;
import static org.backplane.kvm.core.vm.RealModeVm.WAYS;
import static org.backplane.kvm.core.vm.RealModeVm.pad;
import static org.backplane.kvm.core.vm.RealModeVm.segment;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.api.Vm;
import org.backplane.kvm.spi.cpu.RealMode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same as {@link DeliveryMemoryTest} in real mode, whoever delivers: the processor, or the backend by hand. */
@Timeout(value = 10, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RealModeDeliveryTest {
    private static final int VECTOR = 0x21, ROM = 0xc0000, DEVICE = 0xd0000;

    /** STI, and two times INC CX: an interrupt comes between them. At 20h a handler halts. */
    private static final String INTERRUPTED = pad("fb 41 41 f4", 0x20) + "f4";

    private final RealModeVm machine = new RealModeVm();

    @AfterEach
    void close() {
        machine.close();
    }

    private void boot(String mmu, RealMode mode, String code, int stackSegment, int idt) {
        machine.boot(mmu, mode, code);
        machine.vm.setMemoryRegion(1, Vm.MEM_READONLY, ROM, 4096);
        machine.vm.memory().write(VECTOR * 4, 4, SEGMENT << 16 | 0x20);
        KvmSregs s = machine.vcpu.getSregs();
        s.ss = segment(stackSegment, 3);
        s.idt = new KvmSregs.Table(idt, 0x3ff);
        machine.vcpu.setSregs(s);
        KvmRegs r = machine.vcpu.getRegs();
        r.gpr[KvmRegs.RSP] = 0x800;
        machine.vcpu.setRegs(r);
    }

    private void assertInHandler(int increments) {
        assertEquals(0x21, machine.vcpu.getRegs().rip);
        assertEquals(SEGMENT, machine.vcpu.getSregs().cs.selector());
        assertEquals(0x7fa, machine.word(KvmRegs.RSP));
        assertEquals(increments, machine.word(KvmRegs.RCX));
    }

    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void aStackInRomDropsTheFrame(String mmu, RealMode mode) {
        boot(mmu, mode, INTERRUPTED, ROM >> 4, 0);
        machine.vcpu.interrupt(VECTOR);
        machine.run(Exit.HLT);
        assertInHandler(1);
        assertArrayEquals(new byte[6], machine.vm.readMemory(ROM + 0x7fa, 6));
    }

    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void aStackInADeviceGetsTheFrame(String mmu, RealMode mode) {
        boot(mmu, mode, INTERRUPTED, DEVICE >> 4, 0);
        machine.vcpu.interrupt(VECTOR);
        long[] frame = {0x202, SEGMENT, 2};
        for (int i = 0; i < 3; i++) {
            KvmRun run = machine.run(Exit.MMIO);
            assertTrue(run.mmioWrite);
            assertEquals(DEVICE + 0x800 - 2 * (i + 1), run.mmioAddress);
            assertEquals(2, run.mmioLength);
            assertEquals(frame[i], run.dataValue(2));
        }
        machine.run(Exit.HLT);
        assertInHandler(1);
    }

    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void aTableInADeviceIsReadFromIt(String mmu, RealMode mode) {
        boot(mmu, mode, INTERRUPTED, 0, DEVICE);
        machine.vcpu.interrupt(VECTOR);
        answerVector(VECTOR);
        machine.run(Exit.HLT);
        assertInHandler(1);
        assertEquals(2, machine.vm.memory().read(0x7fa, 2), "the next instruction");
    }

    /** The exception of an instruction, which is delivered in the middle of the guest's run. */
    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void aTableInADeviceIsReadForAnExceptionToo(String mmu, RealMode mode) {
        boot(mmu, mode, pad("41 31db f7f3", 0x20) + "f4", 0, DEVICE); // inc cx; xor bx,bx; div bx
        answerVector(0);
        machine.run(Exit.HLT);
        assertInHandler(1);
        assertEquals(3, machine.vm.memory().read(0x7fa, 2), "DIV itself");
    }

    private void answerVector(int vector) {
        KvmRun run = machine.run(Exit.MMIO);
        assertFalse(run.mmioWrite);
        assertEquals(DEVICE + vector * 4, run.mmioAddress);
        assertEquals(4, run.mmioLength);
        assertEquals(CODE, machine.vcpu.getSregs().cs.base());
        run.setData(4, SEGMENT << 16 | 0x20);
    }
}
