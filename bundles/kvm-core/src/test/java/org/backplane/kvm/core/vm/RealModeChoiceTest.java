package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.backplane.directmmu.DirectMmuFactory;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.spi.cpu.RealMode;
import org.backplane.kvm.spi.cpu.RealModePages;
import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.shadowmmu.ShadowMmuFactory;
import org.backplane.vmx.VmxFactory;
import org.backplane.x86.emulate.InterpreterFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which real mode serves with which MMU, and that a guest can tell none from the other. */
class RealModeChoiceTest {
    private static final int SEGMENT = 0x100, CODE = SEGMENT << 4;

    private final KvmVm vm = new KvmVm(VmHost.NONE, (s, e) -> {}, Map.of(), () -> {});
    private final VmxFactory vmx = new VmxFactory();
    private final InterpreterFactory interpreter = new InterpreterFactory();

    @AfterEach
    void close() {
        vm.close();
    }

    private static MmuFactory mmu(String name) {
        return name.equals("shadow") ? new ShadowMmuFactory() : new DirectMmuFactory();
    }

    private void install(String mmu) {
        vm.installCpu(vmx, mmu(mmu), interpreter);
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
        MmuFactory real = mmu(mmu);
        vm.installCpu(vmx, new MmuFactory() {
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
        }, interpreter);
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

    /** Real-mode code at 0100:0000 with a stack at 0000:8000; it ends with HLT. */
    private KvmRegs run(String mmu, RealMode mode, String hex) {
        vm.askRealMode(mode);
        install(mmu);
        vm.setMemoryRegion(0, 0, 0, 1 << 20);
        byte[] code = HexFormat.of().parseHex(hex.replace(" ", ""));
        MemorySegment.copy(code, 0, vm.map(), ValueLayout.JAVA_BYTE, CODE, code.length);
        KvmVcpu vcpu = vm.createVcpu(0);
        KvmSregs s = vcpu.getSregs();
        s.cs = new KvmSregs.Segment(CODE, 0xffff, SEGMENT, 11, true, 0, false, true, false, false, false, false);
        vcpu.setSregs(s);
        KvmRegs r = vcpu.getRegs();
        r.rip = 0;
        r.gpr[KvmRegs.RSP] = 0x8000;
        vcpu.setRegs(r);
        assertEquals(Exit.HLT, vcpu.run().exitReason, vcpu.kvmRun().message);
        // What is read from outside is never the processor's view.
        assertEquals(0, vcpu.getSregs().cr0 & 1);
        assertEquals(11, vcpu.getSregs().cs.type());
        assertEquals(0, vcpu.getRegs().rflags & 1 << 17);
        return vcpu.getRegs();
    }

    private static final String ALLOWED = """
            direct, UNRESTRICTED
            direct, VM86
            direct, EMULATE
            shadow, VM86
            shadow, EMULATE
            """;

    /** CLI, STI, PUSHF with IF, POPF of IOPL 3 and NT, and what PUSHF then shows. */
    @ParameterizedTest
    @CsvSource(textBlock = ALLOWED)
    void flagsAreThoseOfRealMode(String mmu, RealMode mode) {
        KvmRegs r = run(mmu, mode, "fa 9c 58 fb 90 9c 5b 68 02 70 9d 9c 59 fa f4");
        assertEquals(0x0002, r.gpr[KvmRegs.RAX] & 0xffff);
        assertEquals(0x0202, r.gpr[KvmRegs.RBX] & 0xffff);
        assertEquals(0x7002, r.gpr[KvmRegs.RCX] & 0xffff);
        assertEquals(0x7002, r.rflags);
    }

    /** INT 21h through a table that LIDT moved to 2000h; the handler at 0100:0040 reads the frame's flags and returns. */
    @ParameterizedTest
    @CsvSource(textBlock = ALLOWED)
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
    @CsvSource(textBlock = ALLOWED)
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
    @CsvSource(textBlock = ALLOWED)
    void singleStepTrapsGoThroughTheTableOnceForEachInstruction(String mmu, RealMode mode) {
        String code = "c706 0400 4000 c706 0600 0001" // vector 1
                + "bb0200 b80201 50 9d" // mov bx,2; mov ax,102h; push ax; popf
                + "90 90 53 9d f4"; // nop; nop; push bx; popf; hlt
        KvmRegs r = run(mmu, mode, pad(code, 0x40) + "41 cf"); // inc cx; iret
        assertEquals(4, r.gpr[KvmRegs.RCX] & 0xffff);
        assertEquals(2, r.rflags & 0xffff);
        assertEquals(0x8000, r.gpr[KvmRegs.RSP]);
    }

    /** Into protected mode and out again with DS reaching 4 GiB: "unreal mode" reads above 64 KiB. */
    @ParameterizedTest
    @CsvSource(textBlock = ALLOWED)
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

    private static String pad(String hex, int bytes) {
        String h = hex.replace(" ", "");
        return h + "90".repeat(bytes - h.length() / 2);
    }
}
