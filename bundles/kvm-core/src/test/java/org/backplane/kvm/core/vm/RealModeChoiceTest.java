package org.backplane.kvm.core.vm;

import static org.backplane.kvm.core.vm.RealModeVm.WAYS;
import static org.backplane.kvm.core.vm.RealModeVm.pad;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.backplane.kvm.spi.exit.ExitHandler;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which real mode serves with which MMU, and that a guest can tell none from the other. */
class RealModeChoiceTest {
    private final RealModeVm machine = new RealModeVm();
    private final KvmVm vm = machine.vm;

    @AfterEach
    void close() {
        machine.close();
    }

    private void install(String mmu) {
        machine.install(mmu);
    }

    @ParameterizedTest
    @CsvSource({"direct, unrestricted", "shadow, vm86"})
    void whatNobodyAskedForSuitsTheMmu(String mmu, String expected) {
        install(mmu);
        assertEquals(expected, vm.realMode().option);
    }

    /** What an MMU finds in the slots when it is made is all that it is told of them. */
    @ParameterizedTest
    @CsvSource({"vm86, shadow", "vm86, direct", "emulate, shadow"})
    void theReservedPagesAreThereBeforeTheMmuIsMade(String realMode, String mmu) {
        vm.askRealMode(RealMode.of(realMode).orElseThrow());
        List<Boolean> there = new ArrayList<>();
        MmuFactory real = RealModeVm.mmu(mmu);
        machine.install(new MmuFactory() {
            @Override
            public Mmu create(MmuContext context) {
                there.add(context.memory().frame(RealModePages.STANDARD.tss() >>> 12) != 0);
                return real.create(context);
            }

            @Override
            public String type() {
                return real.type();
            }

            @Override
            public String description() {
                return real.description();
            }
        });
        assertTrue(there.getLast(), "the one in service: " + there);
    }

    @Test
    void aSwapToShadowTablesConvertsUnrestrictedAndASwapBackRestoresIt() {
        vm.askRealMode(RealMode.UNRESTRICTED);
        install("direct");
        install("shadow");
        assertEquals(RealMode.EMULATE, vm.realMode());
        install("direct");
        assertEquals(RealMode.UNRESTRICTED, vm.realMode());
    }

    @ParameterizedTest
    @CsvSource({"VM86", "VM86_2007", "EMULATE"})
    void theOthersStayOverASwap(RealMode mode) {
        vm.askRealMode(mode);
        install("direct");
        install("shadow");
        assertEquals(mode, vm.realMode());
        install("direct");
        assertEquals(mode, vm.realMode());
    }

    @Test
    void withoutAnyWishEachMmuHasItsOwnButASwapAwayFromEptConverts() {
        install("direct");
        install("shadow");
        assertEquals(RealMode.EMULATE, vm.realMode());
        install("direct");
        assertEquals(RealMode.UNRESTRICTED, vm.realMode());
    }

    @Test
    void aVmThatBeganWithShadowTablesHasVirtual8086ModeUnderThemAgain() {
        install("shadow");
        install("direct");
        assertEquals(RealMode.UNRESTRICTED, vm.realMode());
        install("shadow");
        assertEquals(RealMode.VM86, vm.realMode());
    }

    @Test
    void unrestrictedGuestNeedsNoReservedPages() {
        install("direct");
        assertTrue(vm.memory().slots().isEmpty());
        vm.askRealMode(RealMode.VM86);
        install("direct");
        assertFalse(vm.memory().slots().isEmpty());
    }

    @Test
    void optionsAreNamedAndOthersUnknown() {
        assertEquals("vm86|vm86-2007|emulate|unrestricted", RealMode.options());
        assertEquals(RealMode.EMULATE, RealMode.of("emulate").orElseThrow());
        assertNull(RealMode.of("real").orElse(null));
    }

    // ---- a guest ----

    /** Runs the code of a {@link RealModeVm} to its HLT. */
    private KvmRegs run(String mmu, RealMode mode, String hex) {
        machine.boot(mmu, mode, hex);
        machine.run(Exit.HLT);
        KvmVcpu vcpu = machine.vcpu;
        // What is read from outside is never the processor's view.
        assertEquals(0, vcpu.getSregs().cr0 & 1);
        assertEquals(11, vcpu.getSregs().cs.type());
        assertEquals(0, vcpu.getRegs().rflags & 1 << 17);
        return vcpu.getRegs();
    }

    /** CLI, STI, PUSHF with IF, POPF of IOPL 3 and NT, and what PUSHF then shows. */
    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void flagsAreThoseOfRealMode(String mmu, RealMode mode) {
        KvmRegs r = run(mmu, mode, "fa 9c 58 fb 90 9c 5b 68 02 70 9d 9c 59 fa f4");
        assertEquals(0x0002, r.gpr[KvmRegs.RAX] & 0xffff);
        assertEquals(0x0202, r.gpr[KvmRegs.RBX] & 0xffff);
        assertEquals(0x7002, r.gpr[KvmRegs.RCX] & 0xffff);
        assertEquals(0x7002, r.rflags);
    }

    /** INT 21h through a table that LIDT moved to 2000h; the handler at 0100:0040 reads the frame's flags and returns. */
    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void anInterruptGoesThroughTheTableOfIdtrAndBack(String mmu, RealMode mode) {
        String code = "c706 8420 4000 c706 8620 0001" // mov word [2084h], 40h; mov word [2086h], 100h
                + "0f01 1e50 10" // lidt [1050h]
                + "fb 90 cd21 43 fa f4"; // sti; nop; int 21h; inc bx; cli; hlt
        String handler = "55 89e5 8b5606 9c 59 5d cf"; // push bp; mov bp,sp; mov dx,[bp+6]; pushf; pop cx; pop bp; iret
        KvmRegs r = run(mmu, mode, pad(code, 0x40) + pad(handler, 0x10) + "ff03 00200000");
        assertEquals(0x0202, r.gpr[KvmRegs.RDX] & 0xffff, "flags in the frame");
        assertEquals(0x0002, r.gpr[KvmRegs.RCX] & 0xffff, "flags in the handler");
        assertEquals(1, r.gpr[KvmRegs.RBX] & 0xffff);
        assertEquals(0x8000, r.gpr[KvmRegs.RSP]);
    }

    /** DIV by zero, and a word beyond 64 KiB: vectors 0 and 13, both handlers skip the instruction of two or four bytes. */
    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void exceptionsGoThroughTheTableWithoutErrorCodes(String mmu, RealMode mode) {
        String code = "c706 0000 4000 c706 0200 0001 c706 3400 5000 c706 3600 0001" // vectors 0 and 13
                + "31db f7f3" // xor bx,bx; div bx
                + "be ffff 8b04" // mov si,0ffffh; mov ax,[si]
                + "f4";
        String skip = "55 89e5 8346 0202 5d cf"; // push bp; mov bp,sp; add word [bp+2],2; pop bp; iret
        KvmRegs r = run(mmu, mode, pad(code, 0x40) + pad("41" + skip, 0x10) + pad("42" + skip, 0x10)); // inc cx; inc dx
        assertEquals(1, r.gpr[KvmRegs.RCX] & 0xffff);
        assertEquals(1, (r.gpr[KvmRegs.RDX] - 0x600) & 0xffff);
        assertEquals(0x8000, r.gpr[KvmRegs.RSP]);
    }

    /** TF is set by POPF and cleared by POPF: a trap behind each of the four instructions that began with it set. */
    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void singleStepTrapsGoThroughTheTableOnceForEachInstruction(String mmu, RealMode mode) {
        String code = "c706 0400 4000 c706 0600 0001" // vector 1
                + "bb0200 b80201 50 9d" // mov bx,2; mov ax,102h; push ax; popf
                + "90 90 53 9d f4"; // nop; nop; push bx; popf; hlt
        KvmRegs r = run(mmu, mode, pad(code, 0x40) + "41 cf"); // inc cx; iret
        assertEquals(4, r.gpr[KvmRegs.RCX] & 0xffff);
        assertEquals(2, r.rflags & 0xffff);
        assertEquals(0x8000, r.gpr[KvmRegs.RSP]);
    }

    /** The way of 2007 makes SS null when the guest sets PE; who only looks at exits changes nothing about that. */
    @ParameterizedTest
    @CsvSource({"direct, false", "direct, true", "shadow, false", "shadow, true"})
    void theSegmentsOf2007AreTheSameForWhoIsObserved(String mmu, boolean observed) {
        BitSet all = new BitSet();
        all.set(0, ExitReasons.COUNT);
        if (observed) vm.setForeignHandlers(List.of(new KvmVm.ForeignHandler((v, e) -> ExitHandler.Result.PASS, all)));
        // mov ax,3; mov ss,ax; mov eax,cr0; or al,1; mov cr0,eax; mov bx,ss; hlt
        machine.boot(mmu, RealMode.VM86_2007, "b80300 8ed0 0f20c0 0c01 0f22c0 8cd3 f4");
        machine.run(Exit.HLT);
        assertEquals(0, machine.word(KvmRegs.RBX));
        assertEquals(1, machine.vcpu.getSregs().cr0 & 1);
    }

    /** Into protected mode and out again with DS reaching 4 GiB: "unreal mode" reads above 64 KiB. */
    @ParameterizedTest
    @CsvSource(textBlock = WAYS)
    void unrealModeReachesAbove64K(String mmu, RealMode mode) {
        String code = "0f01 1650 10" // lgdt [1050h]
                + "0f20c0 0c01 0f22c0" // mov eax,cr0; or al,1; mov cr0,eax
                + "bb0800 8edb" // mov bx,8; mov ds,bx
                + "24fe 0f22c0" // and al,0feh; mov cr0,eax
                + "31db 8edb" // xor bx,bx; mov ds,bx: the limit stays
                + "66be 00000200 67 c706 3412" // mov esi,20000h; mov word [esi],1234h
                + "67 8b0e" // mov cx,[esi]
                + "f4";
        String gdt = pad("1700 60100000", 0x10) + "0000000000000000 ffff000000 93cf00";
        KvmRegs r = run(mmu, mode, pad(code, 0x50) + gdt);
        assertEquals(0x1234, r.gpr[KvmRegs.RCX] & 0xffff);
    }
}
