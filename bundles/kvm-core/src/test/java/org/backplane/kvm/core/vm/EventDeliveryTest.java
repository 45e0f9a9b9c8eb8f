package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.exit.ExitHandler.Result;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When an interrupt reaches the guest, as the run loop and the processor do it together (kvm-internals 3). */
class EventDeliveryTest {
    private static final int VECTOR = 0x21, HANDLER = 0x1100, IDT = 0x3000, GDT = 0x4000;

    private final HandMadeVm machine = new HandMadeVm();

    @AfterEach
    void close() {
        machine.close();
    }

    /** The handler halts. */
    private void boot(String mmu, String hex) {
        machine.boot(mmu, hex);
        machine.vm.writeMemory(HANDLER, new byte[] {(byte) 0xf4});
        machine.vm.writeMemory(IDT + VECTOR * 8, HexFormat.of().parseHex("00111000008e0000"));
        machine.vm.writeMemory(GDT + 0x10, HexFormat.of().parseHex("ffff0000009bcf00"));
        KvmSregs s = machine.vcpu.getSregs();
        s.idt = new KvmSregs.Table(IDT, 0x7ff);
        s.gdt = new KvmSregs.Table(GDT, 0x1f);
        machine.vcpu.setSregs(s);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anInterruptThatHasToWaitIsDeliveredAtTheFirstBoundaryThatTakesIt(String mmu) {
        boot(mmu, "90 fb 90 41 eb fd"); // nop; sti; nop; inc ecx; jmp to the inc
        machine.vcpu.interrupt(VECTOR);
        machine.run(Exit.HLT);
        assertEquals(HANDLER + 1, machine.rip());
        assertEquals(0, machine.vcpu.getRegs().gpr[KvmRegs.RCX], "behind the shadow of STI");
    }

    /** Somebody takes the memory fault of the delivery, and has the guest go on; nothing was mended, so it comes again. */
    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anEventThatAnExitCutShortIsDeliveredByTheNextEntry(String mmu) {
        boot(mmu, "fb 90 90 f4"); // sti; nop; nop; hlt
        boolean[] cut = {false};
        BitSet reasons = new BitSet();
        reasons.set(mmu.equals("direct") ? ExitReasons.EPT_VIOLATION : ExitReasons.EXCEPTION_NMI);
        machine.vm.setForeignHandlers(List.of(new KvmVm.ForeignHandler(
                (v, e) -> {
                    if (cut[0] || (v.state.vectoringInfo & CpuState.INFO_VALID) == 0) return Result.PASS;
                    cut[0] = true;
                    return Result.RESUME;
                },
                reasons)));
        machine.vcpu.interrupt(VECTOR);
        machine.run(Exit.HLT);
        assertTrue(cut[0], "the stack was not there yet");
        assertEquals(HANDLER + 1, machine.rip());
    }
}
