package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.*;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.LongStream;
import org.backplane.kvm.api.GuestDebug;
import org.backplane.kvm.api.GuestDebug.Watchpoint;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.DebugCause;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.api.KvmSregs.Segment;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** KVM_DEBUG_GUEST by hand, with each MMU: where a run stops, and that the guest cannot tell. */
@Timeout(30)
class GuestDebugTest {
    private static final long CODE = HandMadeVm.CODE;
    private final HandMadeVm hand = new HandMadeVm();
    private final KvmVm vm = hand.vm;
    private KvmVcpu vcpu;

    @AfterEach
    void close() {
        hand.close();
        assertEquals(List.of(), hand.faults);
    }

    private void boot(String mmu, String hex) {
        hand.boot(mmu, hex);
        vcpu = hand.vcpu;
    }

    private void breakAt(long... addresses) {
        vcpu.debugGuest(new GuestDebug(false, false, LongStream.of(addresses).boxed().toList(), List.of()));
    }

    private void stepping(boolean blockInterrupts) {
        vcpu.debugGuest(new GuestDebug(true, blockInterrupts, List.of(), List.of()));
    }

    private void watch(long address, long length, boolean read, boolean write) {
        vcpu.debugGuest(new GuestDebug(false, false, List.of(), List.of(new Watchpoint(address, length, read, write))));
    }

    private void stops(DebugCause cause, long address, long rip) {
        KvmRun run = hand.run(Exit.DEBUG);
        assertEquals(cause, run.debugCause);
        assertEquals(1, run.exception);
        assertEquals(Long.toHexString(address), Long.toHexString(run.debugAddress));
        assertEquals(Long.toHexString(rip), Long.toHexString(hand.rip()));
    }

    private void breaksAt(long address) {
        stops(DebugCause.BREAKPOINT, address, address);
    }

    /** Offsets from the code's start at which single steps stop, up to the exit that is not DEBUG. */
    private List<Long> steps(int most) {
        List<Long> at = new ArrayList<>();
        for (int i = 0; i < most && vcpu.run().exitReason == Exit.DEBUG; i++) at.add(hand.rip() - CODE);
        return at;
    }

    private long reg(int number) {
        return vcpu.getRegs().gpr[number] & 0xffffffffL;
    }

    // ---- breakpoints ----

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void breakpointStopsBeforeItsInstructionAndTheNextRunExecutesIt(String mmu) {
        boot(mmu, "40 43 41 f4"); // inc eax; inc ebx; inc ecx; hlt
        breakAt(CODE + 1);
        breaksAt(CODE + 1);
        assertEquals(1, reg(KvmRegs.RAX));
        assertEquals(0, reg(KvmRegs.RBX));
        hand.run(Exit.HLT);
        assertEquals(1, reg(KvmRegs.RCX));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void breakpointInAHotLoopStopsEachTime(String mmu) {
        boot(mmu, "b9 10270000 40 43 49 75fb f4"); // mov ecx,10000; 1: inc eax; inc ebx; dec ecx; jnz 1b; hlt
        breakAt(CODE + 10); // the HLT: decodes and links the loop first
        breaksAt(CODE + 10);
        KvmRegs r = vcpu.getRegs();
        r.rip = CODE;
        vcpu.setRegs(r);
        breakAt(CODE + 6, CODE + 10);
        for (int i = 1; i <= 1000; i++) {
            breaksAt(CODE + 6);
            assertEquals(10000 + i, reg(KvmRegs.RAX));
        }
        breakAt();
        hand.run(Exit.HLT);
        assertEquals(20000, reg(KvmRegs.RBX));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void thereIsNoLimitToBreakpointsAndTheGuestsMemoryIsAsItWas(String mmu) {
        boot(mmu, "90".repeat(200) + "f4");
        breakAt(LongStream.range(0, 200).map(n -> CODE + n).toArray());
        for (int n = 0; n < 200; n++) breaksAt(CODE + n);
        for (byte b : vm.readMemory(CODE, 200)) assertEquals((byte) 0x90, b);
        hand.run(Exit.HLT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void breakpointStaysWhenTheGuestWritesItsInstructionAnew(String mmu) {
        // mov byte [1010],40 (inc eax); jmp 1010
        boot(mmu, "c605 10100000 40 eb 07 90909090909090 f4 f4");
        breakAt(CODE + 0x10);
        breaksAt(CODE + 0x10);
        hand.run(Exit.HLT);
        assertEquals(1, reg(KvmRegs.RAX));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void breakpointsLiveThroughASwapOfTheProcessorsCards(String mmu) {
        boot(mmu, "90 90 90 90 f4");
        breakAt(CODE + 1, CODE + 3);
        breaksAt(CODE + 1);
        hand.install(mmu.equals("shadow") ? "direct" : "shadow");
        breaksAt(CODE + 3);
        hand.run(Exit.HLT);
    }

    @Test
    void breakpointInRealModeIsALinearAddress() {
        boot("shadow", "40 40 40 f4");
        KvmSregs s = vcpu.getSregs();
        s.cr0 = 0x10;
        s.cs = new Segment(0x0f00, 0xffff, 0xf0, 3, true, 0, false, true, false, false, false, false);
        vcpu.setSregs(s);
        KvmRegs r = vcpu.getRegs();
        r.rip = 0x100;
        vcpu.setRegs(r);
        breakAt(CODE + 2);
        stops(DebugCause.BREAKPOINT, CODE + 2, 0x102);
        assertEquals(2, reg(KvmRegs.RAX));
        hand.run(Exit.HLT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void breakpointAndStepInVirtual8086Mode(String mmu) {
        boot(mmu, "40 40 40 a3 0020"); // inc ax three times; mov [2000],ax
        KvmSregs s = vcpu.getSregs();
        s.cs = new Segment(0xf00, 0xffff, 0xf0, 3, true, 3, false, true, false, false, false, false);
        s.ds = s.es = s.ss = s.fs = s.gs = new Segment(0, 0xffff, 0, 3, true, 3, false, true, false, false, false, false);
        vcpu.setSregs(s);
        KvmRegs r = vcpu.getRegs();
        r.rflags = 0x20002;
        r.rip = 0x100;
        vcpu.setRegs(r);
        withPaging();
        breakAt(CODE + 1);
        stops(DebugCause.BREAKPOINT, CODE + 1, 0x101);
        stepping(false);
        stops(DebugCause.STEP, CODE + 2, 0x102);
        watch(0x2001, 1, false, true);
        watched(0x2001, true, 0x106);
        assertEquals(3, vm.readMemory(0x2000, 1)[0]);
    }

    /** Linear 400000 and 401000 both lead to the page of the code; everything below 4 MiB to itself. */
    private void withPaging() {
        byte[] table = new byte[4096];
        for (int i = 0; i < 256; i++) put(table, i, (long) i << 12 | 7);
        vm.writeMemory(0x11000, table);
        byte[] second = new byte[4096];
        put(second, 0, 0x1007);
        put(second, 1, 0x1007);
        vm.writeMemory(0x12000, second);
        byte[] directory = new byte[4096];
        put(directory, 0, 0x11007);
        put(directory, 1, 0x12007);
        vm.writeMemory(0x10000, directory);
        KvmSregs s = vcpu.getSregs();
        s.cr3 = 0x10000;
        s.cr0 |= 1L << 31;
        vcpu.setSregs(s);
    }

    private static void put(byte[] table, int index, long entry) {
        for (int i = 0; i < 4; i++) table[index * 4 + i] = (byte) (entry >> 8 * i);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void breakpointOfOneMappingIsNoneOfAnother(String mmu) {
        // inc eax; inc ebx; jmp ecx
        boot(mmu, "40 43 ff e1 f4");
        withPaging();
        breakAt(0x400001, 0x401000);
        for (int round = 0; round < 3; round++) {
            KvmRegs r = vcpu.getRegs();
            r.rip = CODE;
            r.gpr[KvmRegs.RCX] = 0x400000;
            vcpu.setRegs(r);
            breaksAt(0x400001); // not at 1001, and not at 400000
            r = vcpu.getRegs();
            r.gpr[KvmRegs.RCX] = 0x401000;
            vcpu.setRegs(r);
            breaksAt(0x401000);
            assertEquals(2 * (round + 1), reg(KvmRegs.RAX));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void codeOfTwoMappingsIsCutForEachAnew(String mmu) {
        // inc eax; xchg ecx,edx; dec esi; jz +2; jmp ecx; hlt: in turns in both mappings, of which only one has a breakpoint on the way
        boot(mmu, "40 87ca 4e 7402 ffe1 f4");
        withPaging();
        KvmRegs r = vcpu.getRegs();
        r.gpr[KvmRegs.RCX] = 0x400000;
        r.gpr[KvmRegs.RDX] = 0x401000;
        r.gpr[KvmRegs.RSI] = 100;
        vcpu.setRegs(r);
        breakAt(0x400001, 0x401008);
        for (int round = 1; round < 4; round++) {
            breaksAt(0x400001);
            assertEquals(2 * round + 1, reg(KvmRegs.RAX));
        }
    }

    // ---- single step ----

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void eachStepIsOneInstructionAndTheGuestSeesNeitherTrapFlagNorDebugRegisters(String mmu) {
        // pushfd; pop eax; mov edx,dr7; mov ebx,dr6; jmp +1; nop; inc ecx; hlt
        boot(mmu, "9c 58 0f21fa 0f21f3 eb01 90 41 f4");
        stepping(false);
        assertEquals(List.of(1L, 2L, 5L, 8L, 11L, 12L, 13L), steps(7));
        assertEquals(0, reg(KvmRegs.RAX) & 1 << 8);
        assertEquals(0x400, reg(KvmRegs.RDX));
        assertEquals(0xffff0ff0L, reg(KvmRegs.RBX));
        assertEquals(1, reg(KvmRegs.RCX));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void stepOfARepeatedInstructionIsOneElement(String mmu) {
        boot(mmu, "b9 03000000 bf 00200000 f3aa f4"); // mov ecx,3; mov edi,2000; rep stosb; hlt
        stepping(false);
        assertEquals(List.of(5L, 10L, 10L, 10L, 12L), steps(5));
        assertEquals(0x2003, reg(KvmRegs.RDI));
    }

    /** IDT at 3000: vector 21 to 10:1100, #UD to 10:1200; GDT at 4000. */
    private void withHandlers() {
        vm.writeMemory(0x1100, HexFormat.of().parseHex("40cf")); // inc eax; iretd
        vm.writeMemory(0x1200, HexFormat.of().parseHex("f4"));
        vm.writeMemory(0x3000 + 0x21 * 8, HexFormat.of().parseHex("00111000008e0000"));
        vm.writeMemory(0x3000 + 6 * 8, HexFormat.of().parseHex("00121000008e0000"));
        vm.writeMemory(0x4010, HexFormat.of().parseHex("ffff0000009bcf00ffff00000093cf00"));
        KvmSregs s = vcpu.getSregs();
        s.idt = new KvmSregs.Table(0x3000, 0x7ff);
        s.gdt = new KvmSregs.Table(0x4000, 0x1f);
        vcpu.setSregs(s);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void interruptIsAStepToItsHandlersFirstInstruction(String mmu) {
        boot(mmu, "fb 90 90 90 f4"); // sti; nop; nop; nop; hlt
        withHandlers();
        stepping(false);
        assertEquals(List.of(1L, 2L), steps(2));
        vcpu.interrupt(0x21);
        assertEquals(List.of(0x100L, 0x101L, 2L, 3L), steps(4));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void blockedInterruptWaitsForTheEndOfStepping(String mmu) {
        boot(mmu, "fb 90 90 90 f4");
        withHandlers();
        stepping(true);
        vcpu.interrupt(0x21);
        assertEquals(List.of(1L, 2L, 3L), steps(3));
        breakAt(0x1100);
        breaksAt(0x1100);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void faultIsAStepToItsHandlersFirstInstruction(String mmu) {
        boot(mmu, "90 0f0b f4"); // nop; ud2
        withHandlers();
        stepping(true);
        assertEquals(List.of(1L, 0x200L), steps(2));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void softwareInterruptIsOneStep(String mmu) {
        boot(mmu, "cd21 90 f4"); // int 21; nop; hlt
        withHandlers();
        stepping(true);
        assertEquals(List.of(0x100L, 0x101L, 2L, 3L), steps(4));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void stepOverHltStopsBehindItAndTheProcessorStaysHalted(String mmu) {
        boot(mmu, "f4 90 f4");
        stepping(false);
        stops(DebugCause.STEP, CODE + 1, CODE + 1);
        hand.run(Exit.HLT);
        assertEquals(CODE + 1, hand.rip());
        stops(DebugCause.STEP, CODE + 2, CODE + 2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anAccessForTheCallerComesBeforeTheEndOfItsStep(String mmu) {
        boot(mmu, "b0 5a e642 e443 a0 00000f00 90 f4"); // mov al,5a; out 42,al; in al,43; mov al,[f0000]; nop; hlt
        vm.setMemoryRegion(0, 0, 0, 1 << 20);
        stepping(false);
        stops(DebugCause.STEP, CODE + 2, CODE + 2);
        assertEquals(0x42, hand.run(Exit.IO).ioPort);
        stops(DebugCause.STEP, CODE + 4, CODE + 4);
        hand.run(Exit.IO).setData(1, 0x77);
        stops(DebugCause.STEP, CODE + 6, CODE + 6);
        assertEquals(0x77, reg(KvmRegs.RAX));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void readOfADeviceIsOneStep(String mmu) {
        boot(mmu, "a1 00001000 90 f4"); // mov eax,[100000]: no memory there
        stepping(false);
        hand.run(Exit.MMIO).setData(4, 0x12345678);
        stops(DebugCause.STEP, CODE + 5, CODE + 5);
        assertEquals(0x12345678, reg(KvmRegs.RAX));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void theGuestsOwnSingleStepWorksUnderneath(String mmu) {
        // push 102; popfd; nop; nop: with TF the #DB handler at 1300 (gate 1) runs after the first NOP
        boot(mmu, "68 02010000 9d 90 90 f4");
        withHandlers();
        vm.writeMemory(0x1300, HexFormat.of().parseHex("f4"));
        vm.writeMemory(0x3008, HexFormat.of().parseHex("00131000008e0000"));
        stepping(false);
        assertEquals(List.of(5L, 6L, 7L, 0x300L), steps(4));
    }

    // ---- watchpoints ----

    private void watched(long address, boolean write, long rip) {
        stops(DebugCause.WATCHPOINT, address, rip);
        assertEquals(write, vcpu.kvmRun().debugWrite);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void writeIsReportedBehindItsInstruction(String mmu) {
        // mov eax,[2000]; mov byte [1fff],1; mov word [1fff],0202; mov dword [2004],3; hlt
        boot(mmu, "a1 00200000 c605 ff1f0000 01 66c705 ff1f0000 0202 c705 04200000 03000000 f4");
        watch(0x2000, 4, false, true);
        watched(0x2000, true, CODE + 5 + 7 + 9);
        assertEquals(2, vm.readMemory(0x2000, 1)[0]);
        hand.run(Exit.HLT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void readAndWriteAreToldApart(String mmu) {
        // mov eax,[2000]; mov [2000],eax; inc dword [2000]; cmp dword [2000],0 ; jz +0; hlt
        String code = "a1 00200000 a3 00200000 ff05 00200000 833d 00200000 00 7400 f4";
        boot(mmu, code);
        watch(0x2002, 1, true, false);
        watched(0x2002, false, CODE + 5);
        watched(0x2002, false, CODE + 16);
        watched(0x2002, false, CODE + 23); // not after the jump that is fused with the comparison
        hand.run(Exit.HLT);
        assertEquals(1, vm.readMemory(0x2000, 1)[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void accessWatchSeesBoth(String mmu) {
        boot(mmu, "a1 00200000 a3 00200000 ff05 00200000 f4");
        watch(0x2000, 1, true, true);
        watched(0x2000, false, CODE + 5);
        watched(0x2000, true, CODE + 10);
        watched(0x2000, true, CODE + 16);
        hand.run(Exit.HLT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void oneOfSeveralPushesStopsBehindItself(String mmu) {
        boot(mmu, "50 53 51 52 5f 5e f4"); // push eax; push ebx; push ecx; push edx; pop edi; pop esi; hlt
        watch(0x7ff8, 4, true, true);
        watched(0x7ff8, true, CODE + 2);
        hand.run(Exit.HLT);
        assertEquals(0x7ff8, reg(KvmRegs.RSP));
        watch(0x7ff8, 4, false, true);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void repeatedWriteStopsBehindTheElement(String mmu) {
        boot(mmu, "b9 00100000 bf 00200000 b0 aa f3aa f4"); // mov ecx,1000; mov edi,2000; mov al,aa; rep stosb; hlt
        watch(0x2010, 2, false, true);
        watched(0x2010, true, CODE + 12);
        assertEquals(0x2011, reg(KvmRegs.RDI));
        watched(0x2011, true, CODE + 12);
        hand.run(Exit.HLT);
        assertEquals((byte) 0xaa, vm.readMemory(0x2fff, 1)[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void rangeOverSeveralPagesIsWatchedAsAWhole(String mmu) {
        boot(mmu, "c605 ff1f0000 01 c605 00200000 01 c605 ff4f0000 01 c605 00500000 01 f4");
        watch(0x2000, 0x3000, false, true);
        watched(0x2000, true, CODE + 14);
        watched(0x4fff, true, CODE + 21);
        hand.run(Exit.HLT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void frameOfAnInterruptIsSeen(String mmu) {
        boot(mmu, "fb 90 90 f4");
        withHandlers();
        watch(0x7ff4, 1, false, true);
        vcpu.interrupt(0x21);
        watched(0x7ff4, true, 0x1100);
        watch(0x7ff4, 1, true, false);
        watched(0x7ff4, false, CODE + 2);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anAccessThatFaultsIsNoAccess(String mmu) {
        boot(mmu, "c605 00205000 01 f4"); // mov byte [502000],1: not mapped
        withHandlers();
        withPaging();
        vm.writeMemory(0x1400, HexFormat.of().parseHex("f4"));
        vm.writeMemory(0x3000 + 14 * 8, HexFormat.of().parseHex("00141000008e0000"));
        watch(0x502000, 1, true, true);
        hand.run(Exit.HLT);
        assertEquals(0x1401, hand.rip());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void removedPointsLeaveNothingBehind(String mmu) {
        boot(mmu, "ff05 00200000 49 75f7 f4"); // 1: inc dword [2000]; dec ecx; jnz 1b; hlt
        KvmRegs r = vcpu.getRegs();
        r.gpr[KvmRegs.RCX] = 1000;
        vcpu.setRegs(r);
        vcpu.debugGuest(new GuestDebug(true, false, List.of(CODE), List.of(new Watchpoint(0x2000, 4, true, true))));
        hand.run(Exit.DEBUG);
        vcpu.debugGuest(GuestDebug.OFF);
        hand.run(Exit.HLT);
        assertEquals(0, reg(KvmRegs.RCX));
        long fills = vcpu.context().tlb.fills;
        assertTrue(fills < 50, fills + " fills: some page never gets its tags back");
    }

    @Test
    void watchpointOfNoLengthOrKindIsRefused() {
        boot("direct", "f4");
        for (Watchpoint w : List.of(new Watchpoint(0, 0, true, true), new Watchpoint(5, 1, false, false), new Watchpoint(-1, 1, true, true))) {
            GuestDebug d = new GuestDebug(false, false, List.of(), List.of(w));
            assertEquals(Errno.EINVAL, assertThrows(KvmException.class, () -> vcpu.debugGuest(d)).errno());
        }
    }
}
